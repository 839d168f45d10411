#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/deadlines.h"
#include "base/log_line.h"
#include "base/scheduler.h"

namespace roomcast::base {

/// Writes lines to standard error: time, level, message, fields. Text from outside is escaped, so that an
/// entry is always one line. Passed to each part; there is no global logger.
///
/// Logging never blocks the server, whatever standard error is and however slowly it is read: see
/// DescriptorOutput. At most 1 MiB of lines is queued; further lines are dropped, and their number is logged
/// as soon as there is room. Clients cannot fill a disk with lines either: texts are cut (see LogField), and
/// the number of lines with the same message is limited per second.
///
/// For the systemd journal each line has its priority prefix (sd-daemon(3)), and in text form no time, which
/// the journal records itself.
class Log final : private TurnTask, private Deadline::Listener {
 public:
  using Fields = LogFields;

  static constexpr std::size_t waiting_bytes_max = std::size_t{1} << 20U;
  /// The time limit for writing the queue in the destructor.
  static constexpr int last_write_ms = 200;

  Log(LogLevel level, LogFormat format);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  /// Writes the queued lines, for at most `last_write_ms`.
  ~Log();

  void set_level(LogLevel level);
  void set_format(LogFormat format);
  /// The maximum number of lines per second with the same message and level, 0: no limit. Takes effect with
  /// write_once_a_turn.
  void set_lines_per_second(std::uint64_t lines);

  /// Collects the lines of a turn and writes them at its end, since thousands of connections may begin and
  /// end in one; warnings and errors are still written immediately, with the lines queued before them.
  /// `deadlines` schedules retries and the end of a second of the rate limit.
  void write_once_a_turn(Scheduler& turn, Deadlines& deadlines);
  /// Returns to writing each line immediately, the initial mode. To be called before `turn` and `deadlines`
  /// are destroyed.
  void write_at_once();

  [[nodiscard]] bool enabled(LogLevel level) const { return level >= level_; }
  /// The number of lines that were dropped because the output did not take them in time or failed.
  [[nodiscard]] std::uint64_t dropped() const;

  void write(LogLevel level, std::string_view message, Fields fields);
  /// A line at `info` that is written however many there are of its kind: for what operators do, not clients.
  void record(std::string_view message, Fields fields);
  void debug(std::string_view message, Fields fields = {}) { write(LogLevel::debug, message, fields); }
  void info(std::string_view message, Fields fields = {}) { write(LogLevel::info, message, fields); }
  void warn(std::string_view message, Fields fields = {}) { write(LogLevel::warn, message, fields); }
  void error(std::string_view message, Fields fields = {}) { write(LogLevel::error, message, fields); }

 private:
  struct Sink;
  void run_at_turn_end() override { write_queued(); }
  void on_deadline() override;

  /// Queues a line, regardless of the rate limit, and has the queue written in time.
  void queue(LogLevel level, std::string_view message, Fields fields);
  void add(LogLevel level, std::string_view message, Fields fields);
  void format_line(LogLevel level, std::string_view message, Fields fields);
  [[nodiscard]] bool passes_limit(LogLevel level, std::string_view message);
  void report_suppressed(std::int64_t now_ms);
  void report_dropped();
  /// Writes as much of the queue as the output takes.
  void write_queued();
  /// Sets the deadline if something is to be done even if no further line is written.
  void retry_later_if_needed();

  LogLevel level_;
  LogFormat format_;
  std::unique_ptr<Sink> sink_;
  Scheduler* turn_ = nullptr;         // null: lines are written immediately
  Deadlines* deadlines_ = nullptr;    // null like turn_
  std::optional<Deadline> deadline_;  // empty while turn_ is null
};

}  // namespace roomcast::base
