#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <exception>
#include <utility>

#include "base/json.h"

namespace roomcast::base {
namespace {

constexpr std::string_view text_pattern = "%Y-%m-%dT%H:%M:%S.%eZ %v";
constexpr std::string_view json_pattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})";

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return "trace";
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

using PlainBytes = std::array<bool, 256>;

/// Printable ASCII without `special`.
constexpr PlainBytes plain_bytes(std::string_view special) {
  PlainBytes plain{};
  for (unsigned byte = 0x20; byte < 0x7F; ++byte)
    plain.at(byte) = special.find(static_cast<char>(byte)) == std::string_view::npos;
  return plain;
}
constexpr PlainBytes plain_in_message = plain_bytes("");
constexpr PlainBytes plain_in_field = plain_bytes(" \"\\=");

/// Appends `text` as it is if every byte of it is one of `plain`, else quoted.
void append_quoted_if_needed(std::string& out, std::string_view text, const PlainBytes& plain) {
  const bool as_it_is = !text.empty() && std::all_of(text.begin(), text.end(), [&plain](char c) {
    return plain[static_cast<unsigned char>(c)];
  });
  if (as_it_is) {
    out += text;
  } else {
    append_json_string(out, text);
  }
}

struct ValueWriter {
  std::string& out;
  LogFormat format;

  void operator()(std::string_view text) const {
    if (format == LogFormat::json) {
      append_json_string(out, text);
    } else {
      append_quoted_if_needed(out, text, plain_in_field);
    }
  }
  void operator()(std::int64_t number) const { append_number(out, number); }
  void operator()(std::uint64_t number) const { append_number(out, number); }
  void operator()(double number) const {
    // JSON has no word for what is not a number.
    if (format == LogFormat::json && !std::isfinite(number)) {
      out += "null";
    } else {
      append_number(out, number);
    }
  }
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
};

void append_text_line(std::string& out, LogLevel level, std::string_view message, Log::Fields fields) {
  const std::string_view name = name_of(level);
  out += name;
  out.append(6 - name.size(), ' ');
  append_quoted_if_needed(out, message, plain_in_message);
  for (const LogField& field : fields) {
    out += ' ';
    append_quoted_if_needed(out, field.key, plain_in_field);
    out += '=';
    std::visit(ValueWriter{out, LogFormat::text}, field.value);
  }
}

/// Without the braces and the time, which the pattern adds.
void append_json_members(std::string& out, LogLevel level, std::string_view message, Log::Fields fields) {
  out += "\"level\":\"";
  out += name_of(level);
  out += "\",\"message\":";
  append_json_string(out, message);
  for (const LogField& field : fields) {
    out += ',';
    append_json_string(out, field.key);
    out += ':';
    std::visit(ValueWriter{out, LogFormat::json}, field.value);
  }
}

/// Collects formatted lines and writes them to standard error when flushed.
class StderrSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  ~StderrSink() override { write_out(); }
  [[nodiscard]] std::size_t waiting_bytes() const { return waiting_.size(); }

 private:
  void sink_it_(const spdlog::details::log_msg& line) override { formatter_->format(line, waiting_); }
  void flush_() override { write_out(); }

  void write_out() {
    std::string_view rest(waiting_.data(), waiting_.size());
    while (!rest.empty()) {
      const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
      // A full disk or a closed pipe must not turn into more lines about itself.
      if (written < 0 && errno != EINTR) break;
      if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
    }
    waiting_.clear();
  }

  spdlog::memory_buf_t waiting_;
};

}  // namespace

/// Keeps spdlog out of the header.
struct Log::Sink {
  spdlog::logger logger{"roomcast", std::make_shared<StderrSink>()};
  StderrSink& lines = static_cast<StderrSink&>(*logger.sinks().front());
  std::string line;

  explicit Sink(LogFormat format) {
    // Levels are judged by Log; what gets here is written.
    logger.set_level(spdlog::level::trace);
    logger.set_error_handler([](const std::string&) {});
    set_format(format);
  }

  void set_format(LogFormat format) {
    logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        std::string(format == LogFormat::json ? json_pattern : text_pattern), spdlog::pattern_time_type::utc,
        "\n"));
  }
};

Log::Log(LogLevel level, LogFormat format)
    : level_(level), format_(format), sink_(std::make_unique<Sink>(format)) {}

Log::~Log() = default;

void Log::set_level(LogLevel level) { level_ = level; }

void Log::set_format(LogFormat format) {
  sink_->set_format(format);
  format_ = format;
}

void Log::write(LogLevel level, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  try {
    std::string& line = sink_->line;
    line.clear();
    if (format_ == LogFormat::json) {
      append_json_members(line, level, message, fields);
    } else {
      append_text_line(line, level, message, fields);
    }
    sink_->logger.log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
    constexpr std::size_t waiting_bytes_max = 65'536;
    if (turn_ != nullptr && level < LogLevel::warn && sink_->lines.waiting_bytes() < waiting_bytes_max) {
      turn_->mark_dirty(*this);
    } else {
      flush();
    }
  } catch (const std::exception&) {
    // Out of memory while writing a line: losing the line is all that may happen.
    sink_->line.clear();
  }
}

void Log::write_once_a_turn(Scheduler& turn) { turn_ = &turn; }

void Log::write_at_once() {
  if (turn_ == nullptr) return;
  std::exchange(turn_, nullptr)->forget(*this);
  flush();
}

void Log::flush() { sink_->logger.flush(); }

}  // namespace roomcast::base
