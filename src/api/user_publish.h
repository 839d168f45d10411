#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "api/operator_call.h"
#include "base/refusal.h"
#include "base/result.h"
#include "http/exchange.h"
#include "part/context.h"
#include "service/rooms.h"
#include "session/session_table.h"

namespace roomcast::api {

/// `POST /api/users/{user}/publish`: sends the body to all clients of the user that are connected and can
/// take it, in no room; nothing is kept of it. The body is that of `POST /rooms/{room}`, the answer
/// `{"clients":N}`. Needs `admin`.
class UserPublish final : public http::Handler, public part::Part {
 public:
  /// All outlive the part.
  explicit UserPublish(const part::Context& context);

  void add_routes(part::Routes& routes) override;
  void handle(http::Exchange& exchange, std::string_view rest) override;

 private:
  /// To how many clients it was sent.
  [[nodiscard]] base::Result<std::size_t, base::Refusal> answer_to(http::Exchange& exchange,
                                                                   std::string_view rest);

  service::Rooms& rooms_;
  session::SessionTable& sessions_;
  Audit audit_;
};

[[nodiscard]] std::unique_ptr<part::Part> make_user_publish(const part::Context& context);

}  // namespace roomcast::api
