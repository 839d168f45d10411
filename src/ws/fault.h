#pragma once

#include <cstdint>
#include <string_view>

namespace roomcast::ws {

/// The status codes of RFC 6455 section 7.4.1 (and the IANA registry) that this server sends.
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  no_status = 1005,  // not sent: stands for a close frame without a body
  invalid_data = 1007,
  policy_violation = 1008,
  message_too_big = 1009,
  internal_error = 1011,
  service_restart = 1012,
  try_again_later = 1013,
};

/// Whether a peer may send `code` in a close frame: 1000–1003, 1007–1014, 3000–4999 (RFC 6455 section 7.4.2).
[[nodiscard]] constexpr bool may_be_received(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/// Violations of RFC 6455, RFC 7692 or a limit by a peer. Each fails the connection.
enum class Fault : std::uint8_t {
  none,
  reserved_bits,            ///< section 5.2, RSV1–3 without an extension that defines them
  reserved_opcode,          ///< section 5.2
  not_masked,               ///< section 5.1
  control_fragmented,       ///< section 5.5
  control_too_long,         ///< section 5.5
  length_not_minimal,       ///< section 5.2
  length_out_of_range,      ///< section 5.2, the most significant bit must be 0
  unexpected_continuation,  ///< section 5.4
  expected_continuation,    ///< section 5.4
  close_length,             ///< section 5.5.1, a code has 2 bytes
  close_code,               ///< section 7.4
  close_reason_not_utf8,    ///< section 5.5.1
  text_not_utf8,            ///< section 8.1
  bad_compression,          ///< RFC 7692 section 7.2.2
  message_too_big,          ///< ReaderLimits::message_bytes
  too_many_fragments,       ///< ReaderLimits::fragments
  count_,
};

struct FaultInfo {
  CloseCode code;         ///< status code of the close frame
  std::string_view text;  ///< its reason text, at most 123 bytes
};

/// The row of the table for `fault`, which must not be `none`.
[[nodiscard]] const FaultInfo& describe(Fault fault);

}  // namespace roomcast::ws
