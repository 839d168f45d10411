#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/scheduler.h"

namespace roomcast::base {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error };
enum class LogFormat : std::uint8_t { text, json };

/// One named value of a log line. Views need only live for the call.
struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  template <class Integer>
  requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
      LogField(std::string_view k, Integer v)
      : key(k), value(std::int64_t{0}) {
    if constexpr (std::is_signed_v<Integer>) {
      value = static_cast<std::int64_t>(v);
    } else {
      value = static_cast<std::uint64_t>(v);
    }
  }
};

/// Writes lines to standard error: time, level, message, then the fields. What comes from outside is escaped,
/// so that a line is always one line. Handed to each part; there is no global logger.
class Log final : private Flushable {
 public:
  using Fields = std::initializer_list<LogField>;

  Log(LogLevel level, LogFormat format);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  void set_level(LogLevel level);
  void set_format(LogFormat format);

  /// From now on the lines of a turn are written together at its end, for thousands of connections may come
  /// and go in one; warnings and errors, and what waits before them, at once all the same.
  void write_once_a_turn(Scheduler& turn);
  /// Back to writing each line at once, as it is in the beginning. To be called before `turn` ends.
  void write_at_once();

  [[nodiscard]] bool enabled(LogLevel level) const { return level >= level_; }

  void write(LogLevel level, std::string_view message, Fields fields);
  void debug(std::string_view message, Fields fields = {}) { write(LogLevel::debug, message, fields); }
  void info(std::string_view message, Fields fields = {}) { write(LogLevel::info, message, fields); }
  void warn(std::string_view message, Fields fields = {}) { write(LogLevel::warn, message, fields); }
  void error(std::string_view message, Fields fields = {}) { write(LogLevel::error, message, fields); }

 private:
  struct Sink;
  void flush() override;

  LogLevel level_;
  LogFormat format_;
  std::unique_ptr<Sink> sink_;
  Scheduler* turn_ = nullptr;  // null: lines are written at once
};

}  // namespace roomcast::base
