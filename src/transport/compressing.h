#pragma once

#include <cstddef>

#include "base/time_budget.h"
#include "session/transport.h"

namespace roomcast::transport {

/// What is longer goes uncompressed: at 30 ns a byte, which adverse content takes, to compress it would make
/// everybody else wait for more than eight milliseconds.
constexpr std::size_t compressed_bytes_max = 262'144;

/// Whether `unit` may be compressed now: what has to go to everybody comes before what a single client gets.
[[nodiscard]] inline bool has_time_for(base::TimeBudget& compressing,
                                       const session::OutgoingPayload& payload) {
  return payload.for_one ? compressing.has_plenty() : compressing.has_some();
}

}  // namespace roomcast::transport
