#pragma once

#include <cstdint>

namespace roomcast::base {

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
