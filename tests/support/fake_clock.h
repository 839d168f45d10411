#pragma once

#include <cstdint>

#include "base/clock.h"

namespace roomcast::test {

/// A clock that stands still until a test moves it.
struct FakeClock final : base::Clock {
  std::int64_t now_ms = 1'000;
  std::int64_t wall_now_ms = 1'700'000'000'000;

  [[nodiscard]] std::int64_t monotonic_ms() const override { return now_ms; }
  [[nodiscard]] std::int64_t wall_ms() const override { return wall_now_ms; }
  void advance(std::int64_t ms) {
    now_ms += ms;
    wall_now_ms += ms;
  }
};

}  // namespace roomcast::test
