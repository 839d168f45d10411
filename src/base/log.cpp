#include "base/log.h"

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <unistd.h>

#include <exception>
#include <limits>
#include <string>
#include <utility>

#include "base/log_limit.h"
#include "base/log_output.h"
#include "base/log_queue.h"

namespace roomcast::base {
namespace {

constexpr std::int64_t retry_ms = 100;
// The most that is collected for the end of a turn.
constexpr std::size_t turn_bytes_max = 65'536;

/// The prefix that gives the journal a line's priority (sd-daemon(3)).
std::string_view journal_prefix(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
    case LogLevel::debug:
      return "<7>";
    case LogLevel::info:
      return "<6>";
    case LogLevel::warn:
      return "<4>";
    case LogLevel::error:
      return "<3>";
  }
  return "<3>";
}

}  // namespace

/// Keeps spdlog and the output out of the header.
struct Log::Sink {
  DescriptorOutput output{STDERR_FILENO};
  LogQueue queue{output, waiting_bytes_max};
  LogLimit limit;
  spdlog::pattern_formatter time{"%Y-%m-%dT%H:%M:%S.%eZ", spdlog::pattern_time_type::utc, ""};
  spdlog::memory_buf_t time_text;
  std::string line;

  void append_time() {
    time_text.clear();
    time.format(spdlog::details::log_msg({}, spdlog::level::info, {}), time_text);
    line.append(time_text.data(), time_text.size());
  }
};

Log::Log(LogLevel level, LogFormat format)
    : level_(level), format_(format), sink_(std::make_unique<Sink>()) {}

Log::~Log() {
  try {
    report_suppressed(std::numeric_limits<std::int64_t>::max());
  } catch (const std::exception&) {
    // Out of memory: the last summary is lost.
  }
  sink_->queue.write_out_within(last_write_ms);
  write_queued();
}

void Log::set_level(LogLevel level) { level_ = level; }

void Log::set_format(LogFormat format) { format_ = format; }

void Log::set_lines_per_second(std::uint64_t lines) { sink_->limit.set_lines_per_second(lines); }

std::uint64_t Log::dropped() const { return sink_->queue.dropped(); }

void Log::write(LogLevel level, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  try {
    if (passes_limit(level, message)) queue(level, message, fields);
  } catch (const std::exception&) {
    // Out of memory: the line is lost.
  }
}

void Log::record(std::string_view message, Fields fields) {
  if (!enabled(LogLevel::info)) return;
  try {
    queue(LogLevel::info, message, fields);
  } catch (const std::exception&) {
    // Out of memory: the line is lost.
  }
}

void Log::queue(LogLevel level, std::string_view message, Fields fields) {
  report_dropped();
  add(level, message, fields);
  if (turn_ != nullptr && level < LogLevel::warn && sink_->queue.bytes() < turn_bytes_max) {
    turn_->mark_dirty(*this);
  } else {
    write_queued();
  }
}

void Log::add(LogLevel level, std::string_view message, Fields fields) {
  format_line(level, message, fields);
  sink_->queue.add(sink_->line);
}

void Log::format_line(LogLevel level, std::string_view message, Fields fields) {
  std::string& line = sink_->line;
  line.clear();
  const bool is_journal = sink_->output.is_journal();
  if (is_journal) line += journal_prefix(level);
  if (format_ == LogFormat::json) {
    line += R"({"time":")";
    sink_->append_time();
    line += "\",";
    append_json_members(line, level, message, fields);
    line += "}\n";
  } else {
    if (!is_journal) {
      sink_->append_time();
      line += ' ';
    }
    append_text_line(line, level, message, fields);
    line += '\n';
  }
}

bool Log::passes_limit(LogLevel level, std::string_view message) {
  if (deadlines_ == nullptr) return true;
  const std::int64_t now_ms = deadlines_->now_ms();
  report_suppressed(now_ms);
  if (sink_->limit.allows(level, message, now_ms)) return true;
  retry_later_if_needed();
  return false;
}

void Log::report_suppressed(std::int64_t now_ms) {
  while (const auto left_out = sink_->limit.take_suppressed(now_ms)) {
    add(left_out->level, "log lines suppressed",
        {{"cause", left_out->message}, {"count", left_out->lines}, {"limit", "log.lines_per_second"}});
  }
}

void Log::report_dropped() {
  const std::uint64_t lost = sink_->queue.unreported();
  if (lost == 0) return;
  format_line(LogLevel::warn, "log lines dropped", {{"count", lost}});
  sink_->queue.add_notice(sink_->line, lost);
}

void Log::write_once_a_turn(Scheduler& turn, Deadlines& deadlines) {
  turn_ = &turn;
  deadlines_ = &deadlines;
  deadline_.emplace(deadlines, static_cast<Deadline::Listener&>(*this));
}

void Log::write_at_once() {
  if (turn_ == nullptr) return;
  std::exchange(turn_, nullptr)->forget(*this);
  deadlines_ = nullptr;
  deadline_.reset();
  write_queued();
}

void Log::write_queued() {
  LogQueue& queue = sink_->queue;
  queue.write_out();
  try {
    if (queue.unreported() > 0) {
      report_dropped();
      queue.write_out();
    }
  } catch (const std::exception&) {
    // Out of memory: the notice is written later.
  }
  retry_later_if_needed();
}

void Log::on_deadline() {
  try {
    report_suppressed(deadlines_->now_ms());
  } catch (const std::exception&) {
    // Out of memory: the summary is lost.
  }
  write_queued();
}

void Log::retry_later_if_needed() {
  if (!deadline_ || deadline_->is_set()) return;
  if (sink_->queue.bytes() > 0 || sink_->limit.has_suppressed()) deadline_->set_in(retry_ms);
}

}  // namespace roomcast::base
