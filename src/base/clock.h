#pragma once

#include <cstdint>

namespace roomcast::base {

/// A source of time. Tests inject a clock that they set themselves.
class Clock {
 public:
  /// Monotonic milliseconds, for durations and deadlines.
  [[nodiscard]] virtual std::int64_t monotonic_ms() const = 0;
  /// Monotonic microseconds at the time of the call, not of the beginning of the turn; for measuring work.
  [[nodiscard]] virtual std::int64_t monotonic_us() const = 0;
  /// Milliseconds since the Unix epoch, for display and message times. May jump.
  [[nodiscard]] virtual std::int64_t wall_ms() const = 0;

 protected:
  ~Clock() = default;
};

/// Remembers in two bytes whether something happened within the last one to two seconds.
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
  // In units of 1,024 ms, modulo 256. After a wrap-around an old event may count as recent.
  std::uint8_t second_ = 0;
};

}  // namespace roomcast::base
