#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace roomcast::loop {

/// How long turns worked (sleep not counted), as a histogram: `buckets[i]` counts the turns of at most
/// `bounds_us[i]` microseconds that did not fit the bound before; the last bucket has no bound.
struct TurnStats {
  static constexpr std::array<std::int64_t, 11> bounds_us{50,    100,    250,    500,    1'000,  2'500,
                                                          5'000, 10'000, 25'000, 50'000, 100'000};

  std::array<std::uint64_t, bounds_us.size() + 1> buckets{};
  std::uint64_t count = 0;
  std::uint64_t sum_us = 0;

  void add(std::int64_t duration_us) {
    std::size_t bucket = 0;
    while (bucket < bounds_us.size() && duration_us > bounds_us[bucket])
      ++bucket;
    ++buckets[bucket];
    ++count;
    sum_us += static_cast<std::uint64_t>(duration_us);
  }
};

}  // namespace roomcast::loop
