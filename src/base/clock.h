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

/// Whether something happened within the last second or two, in two bytes.
class Recently {
 public:
  void note(std::int64_t now_ms) {
    happened_ = true;
    second_ = second_of(now_ms);
  }
  [[nodiscard]] bool is_so(std::int64_t now_ms) {
    const auto passed = static_cast<std::uint8_t>(second_of(now_ms) - second_);
    happened_ = happened_ && passed <= 1;
    return happened_;
  }

 private:
  static std::uint8_t second_of(std::int64_t ms) { return static_cast<std::uint8_t>(ms >> 10); }

  bool happened_ = false;
  std::uint8_t second_ =
      0;  // of 1,024 ms, modulo 256: looked at in time or not, at worst it is taken for recent
};

}  // namespace roomcast::base
