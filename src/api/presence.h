#pragma once

#include <string_view>

#include "http/exchange.h"
#include "service/rooms.h"

namespace roomcast::api {

/// `GET /presence/{room}`: the members of the room, `{"room","count","members":[{"name"},…],"anonymous"}`; in
/// a crowd (presence.crowd) without `members`. A room that is not known is empty.
class Presence final : public http::Handler {
 public:
  /// `rooms` outlives the handler.
  explicit Presence(const service::Rooms& rooms) : rooms_(rooms) {}

  void handle(http::Exchange& exchange, std::string_view room) override;

 private:
  const service::Rooms& rooms_;
};

}  // namespace roomcast::api
