#pragma once

#include <cstdint>

#include "loop/turn_queue.h"

namespace roomcast::test {

/// A turn's clock that stands still until a test moves it.
struct FakeMicroClock final : loop::MicroClock {
  mutable std::int64_t us = 0;
  [[nodiscard]] std::int64_t now_us() const override { return us; }
};

}  // namespace roomcast::test
