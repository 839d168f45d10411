#pragma once

#include <time.h>

#include <cstdint>
#include <limits>

namespace roomcast::bench {

inline constexpr std::int64_t ms_ns = 1'000'000;
inline constexpr std::int64_t second_ns = 1000 * ms_ns;
/// A time that does not come.
inline constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

/// CLOCK_MONOTONIC, as the stamps have it.
[[nodiscard]] inline std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * second_ns + now.tv_nsec;
}

}  // namespace roomcast::bench
