#pragma once

#include <cstddef>
#include <string_view>

#include "base/log.h"
#include "http/exchange.h"
#include "hub/hub.h"

namespace roomcast::api {

/// `POST /rooms/{room}`: publishes the body. Content-Type decides the kind: `text/*` is text and must be
/// UTF-8, `application/json` is json and must be one JSON value, anything else is binary. The answer,
/// `{"room","cursor","subscribers"}`, comes once the message has its place in the room's order.
class Publish final : public http::Handler {
 public:
  /// `message_bytes` is limits.message_bytes; read anew for each request.
  Publish(hub::Hub& hub, http::Connections& connections, const std::size_t& message_bytes)
      : hub_(hub), connections_(connections), message_bytes_(message_bytes) {}

  void handle(http::Exchange& exchange, std::string_view room) override;

 private:
  hub::Hub& hub_;
  http::Connections& connections_;
  const std::size_t& message_bytes_;
};

}  // namespace roomcast::api
