#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/operator_call.h"
#include "http/exchange.h"
#include "hub/outcome.h"
#include "part/context.h"
#include "service/rooms.h"

namespace roomcast::api {

/// For those who moderate a room: `DELETE /api/messages?room=&cursor=` removes the message with that cursor,
/// `PUT` replaces it by the body, which is that of `POST /rooms/{room}`, and `POST /api/clear` removes all
/// that the room has. The answer is `{"room","cursor"}`. The room is a parameter, since names have slashes.
class Messages final : public http::Handler, public part::Part {
 public:
  /// All outlive the part.
  explicit Messages(const part::Context& context);

  void add_routes(part::Routes& routes) override;
  void handle(http::Exchange& exchange, std::string_view rest) override;

 private:
  void clear(http::Exchange& exchange);
  void amend(http::Exchange& exchange);
  /// Answers the exchange, and notes what has come of the call.
  [[nodiscard]] hub::PublishDone answer_to(http::Exchange& exchange, std::string_view call,
                                           const std::string& room, std::string_view cursor);

  service::Rooms& rooms_;
  http::DeferredResponses& responses_;
  Audit audit_;
};

[[nodiscard]] std::unique_ptr<part::Part> make_messages(const part::Context& context);

}  // namespace roomcast::api
