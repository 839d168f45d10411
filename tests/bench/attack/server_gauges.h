#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "load/target.h"

namespace roomcast::bench {

/// What roomcast says of itself at `/metrics`; nothing where it says nothing.
struct ServerGauges {
  std::optional<std::int64_t> memory_bytes;  ///< that its allocator has given out
  std::int64_t kept_bytes =
      0;  ///< that it keeps on purpose, within bounds: histories, rooms, idempotency keys
  std::optional<std::uint64_t> long_turns;  ///< turns of its loop, since the start, that took more than 25 ms
};

[[nodiscard]] ServerGauges read_gauges(std::string_view exposition);
/// Asks for them, and waits so long at most.
[[nodiscard]] ServerGauges gauges_of(const Target& target, int patience_ms = 10'000);

}  // namespace roomcast::bench
