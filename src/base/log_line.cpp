#include "base/log_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/json.h"

namespace roomcast::base {
namespace {

constexpr std::size_t message_bytes_max = 400;
// Bytes of a field besides its text: key, quotes, and the mark of a cut.
constexpr std::size_t around_text_bytes = 80;
// The maximum length of an escaped byte: \u001b.
constexpr std::size_t escaped_bytes_max = 6;

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

/// Printable ASCII except `special`.
constexpr PlainBytes plain_bytes(std::string_view special) {
  PlainBytes plain{};
  for (unsigned byte = 0x20; byte < 0x7F; ++byte)
    plain.at(byte) = special.find(static_cast<char>(byte)) == std::string_view::npos;
  return plain;
}
constexpr PlainBytes plain_in_message = plain_bytes("");
constexpr PlainBytes plain_in_field = plain_bytes(" \"\\=");

/// Appends `text` unchanged if all its bytes are in `plain`, otherwise quoted.
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

/// The length to which `text` is to be cut for `bytes_max`, without splitting a UTF-8 character.
std::size_t length_within(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text.size();
  std::size_t length = bytes_max;
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  for (int back = 0; back < 3 && length > 0 && continues(text[length]); ++back)
    --length;
  return length;
}

/// Passes `text` to `append`, cut to `bytes_max` with a note of how much was cut.
template <class Append>
void append_within(std::string_view text, std::size_t bytes_max, const Append& append) {
  const std::size_t length = length_within(text, bytes_max);
  if (length == text.size()) return append(text);
  std::string cut(text.substr(0, length));
  cut += "...(";
  append_number(cut, text.size() - length);
  cut += " bytes cut)";
  append(cut);
}

/// The remaining space of a line for the texts of its fields.
class LineBudget {
 public:
  LineBudget(const std::string& out, std::size_t line_begin, LogFields fields)
      : out_(out), line_begin_(line_begin), fields_left_(fields.size()) {}

  /// The number of bytes of its text that the next field may use.
  std::size_t next(const LogField& field) {
    const std::size_t used = out_.size() - line_begin_ + fields_left_ * around_text_bytes;
    --fields_left_;
    if (field.bytes_max > LogField::text_bytes_max) return field.bytes_max;
    const std::size_t left = used < log_line_bytes_max ? log_line_bytes_max - used : 0;
    return std::min(field.bytes_max, left / escaped_bytes_max);
  }

 private:
  const std::string& out_;
  std::size_t line_begin_;
  std::size_t fields_left_;
};

struct ValueWriter {
  std::string& out;
  LogFormat format;
  std::size_t bytes_max;

  void operator()(std::string_view text) const {
    append_within(text, bytes_max, [this](std::string_view shown) {
      if (format == LogFormat::json) {
        append_json_string(out, shown);
      } else {
        append_quoted_if_needed(out, shown, plain_in_field);
      }
    });
  }
  void operator()(std::int64_t number) const { append_number(out, number); }
  void operator()(std::uint64_t number) const { append_number(out, number); }
  void operator()(double number) const {
    // JSON cannot represent infinities and NaN.
    if (format == LogFormat::json && !std::isfinite(number)) {
      out += "null";
    } else {
      append_number(out, number);
    }
  }
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
};

}  // namespace

void append_text_line(std::string& out, LogLevel level, std::string_view message, LogFields fields) {
  LineBudget budget(out, out.size(), fields);
  const std::string_view name = name_of(level);
  out += name;
  out.append(6 - name.size(), ' ');
  append_within(message, message_bytes_max,
                [&out](std::string_view shown) { append_quoted_if_needed(out, shown, plain_in_message); });
  for (const LogField& field : fields) {
    const std::size_t bytes_max = budget.next(field);
    if (!field.is_present()) continue;
    out += ' ';
    append_quoted_if_needed(out, field.key, plain_in_field);
    out += '=';
    std::visit(ValueWriter{out, LogFormat::text, bytes_max}, field.value);
  }
}

void append_json_members(std::string& out, LogLevel level, std::string_view message, LogFields fields) {
  LineBudget budget(out, out.size(), fields);
  out += "\"level\":\"";
  out += name_of(level);
  out += "\",\"message\":";
  append_within(message, message_bytes_max,
                [&out](std::string_view shown) { append_json_string(out, shown); });
  for (const LogField& field : fields) {
    const std::size_t bytes_max = budget.next(field);
    if (!field.is_present()) continue;
    out += ',';
    append_json_string(out, field.key);
    out += ':';
    std::visit(ValueWriter{out, LogFormat::json, bytes_max}, field.value);
  }
}

}  // namespace roomcast::base
