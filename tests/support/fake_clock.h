#pragma once

#include <cstdint>

#include "base/clock.h"

namespace roomcast::test {

/// A clock that stands still until a test moves it.
struct FakeClock final : base::Clock {
  std::int64_t now_ms = 1'000;
  std::int64_t wall_now_ms = 1'700'000'000'000;
  std::int64_t us_between_looks = 0;  // time that passes between two calls

  [[nodiscard]] std::int64_t monotonic_ms() const override { return now_ms; }
  [[nodiscard]] std::int64_t wall_ms() const override { return wall_now_ms; }
  [[nodiscard]] std::int64_t monotonic_us() const override {
    looks_us_ += us_between_looks;
    return now_ms * 1'000 + looks_us_;
  }
  void advance(std::int64_t ms) {
    now_ms += ms;
    wall_now_ms += ms;
  }

 private:
  mutable std::int64_t looks_us_ = 0;
};

}  // namespace roomcast::test
