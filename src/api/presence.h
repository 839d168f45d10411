#pragma once

#include <memory>
#include <string_view>

#include "http/exchange.h"
#include "part/context.h"
#include "service/rooms.h"

namespace roomcast::api {

/// `GET /presence/{room}`: the members of the room, `{"room","count","members":[{"name"},…],"anonymous"}`; in
/// a crowd (presence.crowd) without `members`, as service::Rooms::presence says. A room that is not known is
/// empty.
class Presence final : public http::Handler, public part::Part {
 public:
  /// `rooms` outlives the handler.
  explicit Presence(const service::Rooms& rooms) : rooms_(rooms) {}

  void add_routes(part::Routes& routes) override;
  void handle(http::Exchange& exchange, std::string_view room) override;

 private:
  const service::Rooms& rooms_;
};

[[nodiscard]] std::unique_ptr<part::Part> make_presence(const part::Context& context);

}  // namespace roomcast::api
