#pragma once

#include <cstdint>

namespace roomcast::base {

/// Where time comes from; tests hand in a clock they set themselves.
class Clock {
 public:
  /// Milliseconds that only ever grow, for durations and deadlines.
  [[nodiscard]] virtual std::int64_t monotonic_ms() const = 0;
  /// The same in microseconds and of this very moment, not of the beginning of the turn, for measuring work.
  [[nodiscard]] virtual std::int64_t monotonic_us() const = 0;
  /// Milliseconds since the epoch, for people and for message times. May jump.
  [[nodiscard]] virtual std::int64_t wall_ms() const = 0;

 protected:
  ~Clock() = default;
};

}  // namespace roomcast::base
