#pragma once

#include <memory>
#include <string_view>

#include "http/exchange.h"
#include "part/context.h"
#include "service/rooms.h"

namespace roomcast::api {

/// `GET /presence/{room}`: the members of the room, `{"room","count","members":[{"name"},…],"anonymous"}`; in
/// a crowd (presence.crowd) without `members`, as service::Rooms::presence says. A room that is not known is
/// empty; where servers share their rooms it is opened here first.
class Presence final : public http::Handler, public part::Part {
 public:
  /// Both outlive the handler.
  Presence(service::Rooms& rooms, http::DeferredResponses& responses)
      : rooms_(rooms), responses_(responses) {}

  void add_routes(part::Routes& routes) override;
  void handle(http::Exchange& exchange, std::string_view room) override;

 private:
  service::Rooms& rooms_;
  http::DeferredResponses& responses_;
};

[[nodiscard]] std::unique_ptr<part::Part> make_presence(const part::Context& context);

}  // namespace roomcast::api
