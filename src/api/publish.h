#pragma once

#include <cstdint>
#include <string_view>

#include "http/exchange.h"
#include "hub/idempotent_publisher.h"

namespace roomcast::api {

/// `POST /rooms/{room}`: publishes the body. Content-Type decides the kind: `text/*` is text and must be
/// UTF-8, `application/json` and what ends in `+json` is json and must be one JSON value,
/// `application/x-www-form-urlencoded` is text if it is UTF-8, anything else is binary. The answer,
/// `{"room","cursor","subscribers"}`, comes once the message has its place in the room's order.
/// `Idempotency-Key` makes a repeated request safe (see hub::IdempotentPublisher): it gets the first receipt,
/// with
/// `"duplicate":true`.
class Publish final : public http::Handler {
 public:
  /// All outlive the handler. The largest message (limits.message_bytes) and limits.json_depth are read anew
  /// for each request.
  Publish(hub::IdempotentPublisher& publisher, http::Connections& connections,
          const std::uint64_t& message_bytes, const std::uint64_t& json_depth)
      : publisher_(publisher),
        connections_(connections),
        message_bytes_(message_bytes),
        json_depth_(json_depth) {}

  void handle(http::Exchange& exchange, std::string_view room) override;

 private:
  hub::IdempotentPublisher& publisher_;
  http::Connections& connections_;
  const std::uint64_t& message_bytes_;
  const std::uint64_t& json_depth_;
};

}  // namespace roomcast::api
