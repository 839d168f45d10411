#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace roomcast::base {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error };
enum class LogFormat : std::uint8_t { text, json };

/// A named value of a log line. Views need only be valid for the call.
///
/// Text is cut after 200 bytes: most of it comes from clients, and the length of a line must not depend on
/// what they send. `whole` is for text from the operator or this machine.
struct LogField {
  static constexpr std::size_t text_bytes_max = 200;
  static constexpr std::size_t whole_bytes_max = 16'384;

  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;
  std::size_t bytes_max = text_bytes_max;

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

  /// Text that clients cannot influence: cut only after 16 KiB, and not shortened to limit the line.
  static LogField whole(std::string_view key, std::string_view text) {
    LogField field(key, text);
    field.bytes_max = whole_bytes_max;
    return field;
  }

  /// Fields with an empty key are omitted from the line.
  [[nodiscard]] bool is_present() const { return !key.empty(); }
  /// A field that is omitted if `text` is empty.
  static LogField if_any(std::string_view key, std::string_view text) {
    return {text.empty() ? std::string_view{} : key, text};
  }
};

using LogFields = std::initializer_list<LogField>;

/// The maximum length of a line without `whole` fields: texts near its end are cut to less than 200 bytes.
constexpr std::size_t log_line_bytes_max = 4'096;

/// Appends level, message and fields in text form, without time and line break.
void append_text_line(std::string& out, LogLevel level, std::string_view message, LogFields fields);
/// Appends level, message and fields as members of a JSON object, without its braces.
void append_json_members(std::string& out, LogLevel level, std::string_view message, LogFields fields);

}  // namespace roomcast::base
