#pragma once

#include <cstdint>

#include "base/clock.h"

namespace roomcast::test {

/// A clock of microseconds that stands still until a test sets it.
struct FakeMicroClock final : base::Clock {
  mutable std::int64_t us = 0;
  [[nodiscard]] std::int64_t monotonic_us() const override { return us; }
  [[nodiscard]] std::int64_t monotonic_ms() const override { return us / 1'000; }
  [[nodiscard]] std::int64_t wall_ms() const override { return us / 1'000; }
};

}  // namespace roomcast::test
