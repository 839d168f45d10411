#pragma once

#include <cstdint>
#include <string_view>

namespace roomcast::dialect {

/// How a silent client is found to be gone.
struct Heartbeat {
  enum class Means : std::uint8_t {
    transport,  ///< the transport's own: WebSocket ping frames, comments and empty lines on streams
    payload,    ///< a payload of the dialect's, sent by the session over any transport; no ping frames
    none,       ///< the client or the application is responsible for it
  };
  Means means = Means::transport;

  // For Means::payload.
  std::string_view ping;         ///< the payload, text; lives as long as the dialect
  std::int64_t interval_ms = 0;  ///< from the start, and from each answer, to the next ping
  std::int64_t timeout_ms = 0;   ///< for the answer; then the session is closed with ping_timeout
  /// Any message of the client is an answer; otherwise only CommandHandler::heartbeat_answered is.
  bool any_message_answers = true;
};

}  // namespace roomcast::dialect
