#pragma once

#include <cstdint>
#include <string_view>

namespace roomcast::base {

/// Why a connection ended. One list for the wire, the log and the metrics.
enum class CloseReason : std::uint8_t {
  client_closed,     ///< the peer closed the connection with a close handshake
  connection_lost,   ///< reset, or end of stream without a close handshake
  protocol_error,    ///< the peer violated RFC 6455
  unsupported_data,  ///< a kind of data that this endpoint does not accept
  invalid_data,      ///< malformed UTF-8, JSON or compressed data
  policy_violation,  ///< refused by a rule
  unauthorized,      ///< its identity has run out, was revoked, or was never shown in time
  forbidden,         ///< it may not be here, or not any more
  rate_limited,      ///< it went on past a rate for long
  message_too_big,   ///< past limits.message_bytes or limits.fragments
  internal_error,    ///< a failure of the server
  server_shutdown,   ///< the server is draining; reconnecting will help
  slow_consumer,     ///< past limits.queue_bytes
  overloaded,        ///< past a limit on memory or connections
  unavailable,       ///< the engine does not answer
  ping_timeout,      ///< no answer to a ping in time
  close_timeout,     ///< the close handshake was not completed in time
  gap,               ///< messages are missing, and the client's dialect cannot express that
  count_,
};

struct CloseReasonInfo {
  std::string_view name;    ///< for logs and metric labels, snake_case
  std::uint16_t websocket;  ///< RFC 6455 section 7.4.1 status code; 0 where no close frame is sent
  std::string_view text;    ///< default reason text of the close frame, at most 123 bytes
  bool retry;               ///< whether reconnecting can help
};

/// The row of the table for `reason`.
[[nodiscard]] const CloseReasonInfo& describe(CloseReason reason);

}  // namespace roomcast::base
