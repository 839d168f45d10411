#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/deadlines.h"
#include "base/log_line.h"
#include "base/scheduler.h"

namespace roomcast::base {

/// Writes lines to standard error: time, level, message, then the fields. What comes from outside is escaped,
/// so that a line is always one line. Handed to each part; there is no global logger.
///
/// Logging never holds the server, whatever standard error is and whoever reads it: see DescriptorOutput for
/// how it is written without waiting. At most 1 MiB of lines waits; what does not fit is dropped, and as soon
/// as lines go again, one says how many were. Nor can strangers fill a disk with lines: texts are cut (see
/// LogField), and of the lines of one message only so many are written in a second.
///
/// To the systemd journal, each line goes with its priority (sd-daemon(3)) and, as text, without the time,
/// which the journal notes itself.
class Log final : private Flushable, private Deadline::Listener {
 public:
  using Fields = LogFields;

  static constexpr std::size_t waiting_bytes_max = std::size_t{1} << 20U;
  /// How long the end of the log may wait for whoever reads standard error.
  static constexpr int last_write_ms = 200;

  Log(LogLevel level, LogFormat format);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  /// Writes what waits, for at most `last_write_ms`.
  ~Log();

  void set_level(LogLevel level);
  void set_format(LogFormat format);
  /// How many lines of one message and level may be written in a second, 0: no limit. Counted from
  /// write_once_a_turn on.
  void set_lines_per_second(std::uint64_t lines);

  /// From now on the lines of a turn are written together at its end, for thousands of connections may come
  /// and go in one; warnings and errors, and what waits before them, at once all the same. `deadlines` tells
  /// when to try again and when a second is over.
  void write_once_a_turn(Scheduler& turn, Deadlines& deadlines);
  /// Back to writing each line at once, as it is in the beginning. To be called before `turn` and `deadlines`
  /// end.
  void write_at_once();

  [[nodiscard]] bool enabled(LogLevel level) const { return level >= level_; }
  /// Lines that were lost, because nobody read them or they could not be written.
  [[nodiscard]] std::uint64_t dropped() const;

  void write(LogLevel level, std::string_view message, Fields fields);
  void debug(std::string_view message, Fields fields = {}) { write(LogLevel::debug, message, fields); }
  void info(std::string_view message, Fields fields = {}) { write(LogLevel::info, message, fields); }
  void warn(std::string_view message, Fields fields = {}) { write(LogLevel::warn, message, fields); }
  void error(std::string_view message, Fields fields = {}) { write(LogLevel::error, message, fields); }

 private:
  struct Sink;
  void flush() override;
  void on_deadline() override;

  /// Puts a line behind those that wait, whatever the limits.
  void add(LogLevel level, std::string_view message, Fields fields);
  void format_line(LogLevel level, std::string_view message, Fields fields);
  [[nodiscard]] bool passes_limit(LogLevel level, std::string_view message);
  void tell_suppressed(std::int64_t now_ms);
  void tell_dropped();
  /// Has on_deadline called while anything is left to be done without a new line.
  void look_again_if_needed();

  LogLevel level_;
  LogFormat format_;
  std::unique_ptr<Sink> sink_;
  Scheduler* turn_ = nullptr;         // null: lines are written at once
  Deadlines* deadlines_ = nullptr;    // as turn_
  std::optional<Deadline> deadline_;  // as turn_
};

}  // namespace roomcast::base
