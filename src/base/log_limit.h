#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_line.h"

namespace roomcast::base {

/// Limits the lines per second for each cause (a message, which is a constant of the code, at a level) and
/// counts the rest. Beyond 64 causes the others share one.
class LogLimit {
 public:
  static constexpr std::int64_t window_ms = 1'000;
  static constexpr std::size_t causes_max = 64;

  /// Lines that were not written.
  struct Suppressed {
    LogLevel level = LogLevel::info;
    std::string message;
    std::uint64_t lines = 0;
  };

  /// 0: no limit. The second of a cause begins with its first line.
  void set_lines_per_second(std::uint64_t lines) { lines_per_second_ = lines; }

  /// Whether a line may be written now.
  [[nodiscard]] bool allows(LogLevel level, std::string_view message, std::int64_t now_ms);
  /// The suppressed lines of a cause whose second is over; nothing if there is no further cause.
  [[nodiscard]] std::optional<Suppressed> take_suppressed(std::int64_t now_ms);
  /// Whether take_suppressed has lines to report, now or later.
  [[nodiscard]] bool has_suppressed() const { return suppressed_causes_ > 0; }

 private:
  struct Cause {
    LogLevel level;
    std::string message;
    std::int64_t window_begin_ms = 0;
    std::uint64_t lines = 0;
    std::uint64_t suppressed = 0;
  };
  Cause& cause_of(LogLevel level, std::string_view message, std::int64_t now_ms);

  std::uint64_t lines_per_second_ = 0;
  std::size_t suppressed_causes_ = 0;
  std::vector<Cause> causes_;
};

}  // namespace roomcast::base
