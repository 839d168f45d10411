#include "base/log_limit.h"

#include <algorithm>

namespace roomcast::base {

bool LogLimit::allows(LogLevel level, std::string_view message, std::int64_t now_ms) {
  if (lines_per_second_ == 0) return true;
  Cause& cause = cause_of(level, message, now_ms);
  if (now_ms - cause.window_begin_ms >= window_ms) {
    cause.window_begin_ms = now_ms;
    cause.lines = 0;
  }
  if (cause.lines < lines_per_second_) {
    ++cause.lines;
    return true;
  }
  if (cause.suppressed++ == 0) ++suppressed_causes_;
  return false;
}

std::optional<LogLimit::Suppressed> LogLimit::take_suppressed(std::int64_t now_ms) {
  if (suppressed_causes_ == 0) return std::nullopt;
  for (Cause& cause : causes_) {
    if (cause.suppressed == 0 || now_ms - cause.window_begin_ms < window_ms) continue;
    --suppressed_causes_;
    Suppressed taken{cause.level, cause.message, cause.suppressed};
    cause.suppressed = 0;
    return taken;
  }
  return std::nullopt;
}

LogLimit::Cause& LogLimit::cause_of(LogLevel level, std::string_view message, std::int64_t now_ms) {
  const auto found = std::find_if(causes_.begin(), causes_.end(), [level, message](const Cause& cause) {
    return cause.level == level && cause.message == message;
  });
  if (found != causes_.end()) return *found;
  if (causes_.size() < causes_max - 1)
    return causes_.emplace_back(Cause{level, std::string(message), now_ms, 0, 0});
  if (causes_.size() < causes_max)
    causes_.emplace_back(Cause{LogLevel::warn, "other messages", now_ms, 0, 0});
  return causes_.back();
}

}  // namespace roomcast::base
