#pragma once

#include <cstddef>

#include "base/time_budget.h"
#include "session/transport.h"

namespace roomcast::transport {

/// Longer content goes uncompressed: at 30 ns a byte, the worst case, compressing it would block the loop for
/// more than eight milliseconds.
constexpr std::size_t compressed_bytes_max = 262'144;

/// Whether `payload` may be compressed now. Payloads for many clients have priority over those for one.
[[nodiscard]] inline bool has_time_for(base::TimeBudget& compressing,
                                       const session::OutgoingPayload& payload) {
  return payload.for_one ? compressing.has_plenty() : compressing.has_some();
}

}  // namespace roomcast::transport
