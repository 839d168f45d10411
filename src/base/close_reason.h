#pragma once

#include <cstdint>
#include <string_view>

namespace roomcast::base {

/// Why a connection ended. One list for the wire, the log and the metrics.
enum class CloseReason : std::uint8_t {
  client_closed,     ///< the peer said goodbye properly
  connection_lost,   ///< the peer vanished: reset, or end of stream without a close handshake
  protocol_error,    ///< RFC 6455 broken
  unsupported_data,  ///< a kind of data this endpoint does not take
  invalid_data,      ///< bytes that are not what they claim: UTF-8, JSON, compressed data
  policy_violation,  ///< refused by a rule
  message_too_big,   ///< past limits.message_bytes or limits.fragments
  internal_error,    ///< our fault
  server_shutdown,   ///< the server drains; come back soon
  slow_consumer,     ///< past limits.queue_bytes
  overloaded,        ///< past a limit on memory or connections
  unavailable,       ///< what orders or keeps the messages does not answer
  ping_timeout,      ///< nothing came back in time
  close_timeout,     ///< the close handshake was not completed in time
  gap,               ///< messages are missing, and the client's dialect has no words for it
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
