#pragma once

#include <cstdint>

namespace roomcast::ws {

/// Status codes of RFC 6455 section 7.4.1 (and the IANA registry) that this server sends.
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  no_status = 1005,  // never on the wire: a close frame without a body
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

}  // namespace roomcast::ws
