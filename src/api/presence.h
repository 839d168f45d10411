#pragma once

#include <string_view>

#include "http/exchange.h"
#include "hub/hub.h"

namespace roomcast::api {

/// `GET /presence/{room}`: who is in the room, `{"room","count","members":[{"name"},…],"anonymous"}`; in a
/// crowd (presence.crowd) without `members`. A room that nobody knows is one that nobody is in.
class Presence final : public http::Handler {
 public:
  /// `hub` outlives the handler.
  explicit Presence(const hub::Hub& hub) : hub_(hub) {}

  void handle(http::Exchange& exchange, std::string_view room) override;

 private:
  const hub::Hub& hub_;
};

}  // namespace roomcast::api
