#pragma once

#include <string_view>

#include "auth/origin.h"
#include "http/exchange.h"
#include "hub/hub.h"

namespace roomcast::api {

/// `GET /presence/{room}`: who is in the room, `{"room","count","members":[{"name"},…],"anonymous"}`; in a
/// crowd (presence.crowd) without `members`. A room that nobody knows is one that nobody is in.
class Presence final : public http::Handler {
 public:
  /// Both outlive the handler. The answer may be read by pages of the origins that `rules` list.
  Presence(const hub::Hub& hub, const auth::OriginRules& rules) : hub_(hub), rules_(rules) {}

  void handle(http::Exchange& exchange, std::string_view room) override;

 private:
  const hub::Hub& hub_;
  const auth::OriginRules& rules_;
};

}  // namespace roomcast::api
