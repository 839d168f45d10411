#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "api/operator_call.h"
#include "base/refusal.h"
#include "http/exchange.h"
#include "part/command_bus.h"
#include "part/context.h"
#include "service/rooms.h"
#include "session/session_table.h"

namespace roomcast::api {

/// `POST /api/users/{user}/publish`: sends the body to all clients of the user that are connected and can
/// take it, in no room; nothing is kept of it. The body is that of `POST /rooms/{room}`, the answer
/// `{"clients":N}`. Needs `admin`. Where servers share their rooms all of them do it.
class UserPublish final : public http::Handler, public part::Part, private part::CommandBus::Handler {
 public:
  /// All outlive the part.
  explicit UserPublish(const part::Context& context);

  void add_routes(part::Routes& routes) override;
  void handle(http::Exchange& exchange, std::string_view rest) override;

 private:
  /// Does it, or has it done; returns why not.
  [[nodiscard]] std::optional<base::Refusal> run(http::Exchange& exchange, std::string_view rest);
  std::optional<part::CommandBus::Effect> on_command(std::string_view arguments) override;

  service::Rooms& rooms_;
  session::SessionTable& sessions_;
  http::DeferredResponses& responses_;
  part::CommandBus* const commands_;  // null: rooms are not shared
  Audit audit_;
};

[[nodiscard]] std::unique_ptr<part::Part> make_user_publish(const part::Context& context);

}  // namespace roomcast::api
