#include "base/json_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "base/json_cursor.h"

namespace roomcast::base {
namespace {

constexpr std::uint32_t replacement = 0xFFFD;
constexpr std::uint8_t no_hex_digit = 16;

bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

void skip_space(std::string_view& text) {
  while (!text.empty() && is_json_space(text.front()))
    text.remove_prefix(1);
}

std::string_view trimmed(std::string_view text) {
  skip_space(text);
  while (!text.empty() && is_json_space(text.back()))
    text.remove_suffix(1);
  return text;
}

/// The size of the string at the front of `text`, with its quotes.
std::size_t string_size(std::string_view text) { return std::min(pass_json_string(text, 0), text.size()); }

/// The size of the array or object at the front of `text`.
std::size_t container_size(std::string_view text) {
  std::size_t depth = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at += string_size(text.substr(at));
      continue;
    }
    ++at;
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && --depth == 0) return at;
  }
  return text.size();
}

/// Takes the value at the front of `rest` and the space, comma or colon that follows it.
JsonValue take_value(std::string_view& rest) {
  std::size_t size = 0;
  if (rest.front() == '"') {
    size = string_size(rest);
  } else if (rest.front() == '[' || rest.front() == '{') {
    size = container_size(rest);
  } else {
    size = std::min(rest.find_first_of(" \t\r\n,:]}"), rest.size());
  }
  const JsonValue value(rest.substr(0, size));
  rest.remove_prefix(size);
  skip_space(rest);
  if (!rest.empty()) rest.remove_prefix(1);
  skip_space(rest);
  return value;
}

/// The text between the brackets if `value` is a container of that kind; otherwise nothing.
std::string_view inside(const JsonValue& value, JsonKind kind) {
  if (!value.is(kind) || value.raw().size() < 2) return {};
  return trimmed(value.raw().substr(1, value.raw().size() - 2));
}

constexpr std::array<std::uint8_t, 256> make_hex_digits() {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(no_hex_digit);
  for (std::uint8_t i = 0; i < 10; ++i)
    digits.at('0' + i) = i;
  for (std::uint8_t i = 0; i < 6; ++i)
    digits.at('a' + i) = digits.at('A' + i) = static_cast<std::uint8_t>(10 + i);
  return digits;
}
constexpr auto hex_digits = make_hex_digits();

std::optional<std::uint32_t> take_hex(std::string_view& text) {
  constexpr std::size_t count = 4;
  if (text.size() < count) return std::nullopt;
  std::uint32_t code = 0;
  std::uint32_t all = 0;
  for (const char c : text.substr(0, count)) {
    const std::uint32_t digit = hex_digits[static_cast<unsigned char>(c)];
    all |= digit;
    code = code << 4U | digit;
  }
  if (all >= no_hex_digit) return std::nullopt;
  text.remove_prefix(count);
  return code;
}

/// Reads the digits after `\u`, and a second escape if both form a surrogate pair.
std::uint32_t take_code_point(std::string_view& text) {
  const std::uint32_t high = take_hex(text).value_or(replacement);
  if (high < 0xD800 || high > 0xDFFF) return high;
  if (high > 0xDBFF || text.substr(0, 2) != "\\u") return replacement;
  std::string_view behind = text.substr(2);
  const std::uint32_t low = take_hex(behind).value_or(0);
  // Anything but a low surrogate is a character of its own and is read next.
  if (low < 0xDC00 || low > 0xDFFF) return replacement;
  text = behind;
  return 0x10000 + ((high - 0xD800) << 10U) + (low - 0xDC00);
}

using Utf8 = std::array<char, 4>;

std::string_view encode(std::uint32_t code, Utf8& bytes) {
  if (code < 0x80) {
    bytes[0] = static_cast<char>(code);
    return {bytes.data(), 1};
  }
  const std::size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (std::size_t i = size - 1; i > 0; --i, code >>= 6U)
    bytes.at(i) = static_cast<char>(0x80U | (code & 0x3FU));
  bytes[0] = static_cast<char>((0xF00U >> size & 0xFFU) | code);
  return {bytes.data(), size};
}

/// The character of a one-letter escape: of `\n`, `\"` and so on, but not `\u`.
constexpr char unescaped(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

/// Reads an escape after its backslash.
std::uint32_t take_escape(std::string_view& text) {
  if (text.empty()) return replacement;
  const char c = text.front();
  text.remove_prefix(1);
  return c == 'u' ? take_code_point(text) : static_cast<unsigned char>(unescaped(c));
}

/// Takes the longest unescaped prefix of the content of a string, or one escaped character.
std::string_view take_piece(std::string_view& rest, Utf8& bytes) {
  if (rest.front() != '\\') {
    const std::string_view plain = rest.substr(0, rest.find('\\'));
    rest.remove_prefix(plain.size());
    return plain;
  }
  rest.remove_prefix(1);
  return encode(take_escape(rest), bytes);
}

std::string_view between_quotes(std::string_view raw) {
  return raw.size() < 2 ? std::string_view{} : raw.substr(1, raw.size() - 2);
}

}  // namespace

JsonValue::JsonValue(std::string_view text) : raw_(trimmed(text)) {}

JsonKind JsonValue::kind() const {
  switch (raw_.empty() ? 'n' : raw_.front()) {
    case '{':
      return JsonKind::object;
    case '[':
      return JsonKind::array;
    case '"':
      return JsonKind::string;
    case 't':
    case 'f':
      return JsonKind::boolean;
    case 'n':
      return JsonKind::null;
    default:
      return JsonKind::number;
  }
}

std::optional<std::uint64_t> JsonValue::to_unsigned(std::uint64_t max) const {
  std::uint64_t number = 0;
  const char* const end = raw_.data() + raw_.size();
  const auto read = std::from_chars(raw_.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end || number > max) return std::nullopt;
  return number;
}

std::optional<bool> JsonValue::to_bool() const {
  if (!is(JsonKind::boolean)) return std::nullopt;
  return raw_.front() == 't';
}

bool JsonValue::equals(std::string_view text) const {
  if (!is(JsonKind::string)) return false;
  std::string_view rest = between_quotes(raw_);
  // Most names have no escapes, and are others. An escape is longer than what it stands for.
  if (!rest.empty() && rest.front() != '\\' && !text.starts_with(rest.front())) return false;
  if (rest.size() <= text.size()) return rest == text && rest.find('\\') == std::string_view::npos;
  Utf8 bytes{};
  while (!rest.empty()) {
    const std::string_view piece = take_piece(rest, bytes);
    if (text.substr(0, piece.size()) != piece) return false;
    text.remove_prefix(piece.size());
  }
  return text.empty();
}

void JsonValue::append_text(std::string& out) const {
  if (!is(JsonKind::string)) return;
  std::string_view rest = between_quotes(raw_);
  // One allocation for all pieces. No piece decodes to more bytes than it has, except for malformed escapes
  // in a text that is not valid: U+FFFD has three bytes, and replaces two bytes, or a lone backslash at the
  // end.
  constexpr std::size_t replacement_bytes = 3;
  std::size_t size = out.size();
  out.resize(size + rest.size() + rest.size() / 2 + replacement_bytes);
  Utf8 bytes{};
  while (!rest.empty()) {
    if (rest.size() > 1 && rest[0] == '\\' && rest[1] != 'u') {
      out[size++] = unescaped(rest[1]);
      rest.remove_prefix(2);
      continue;
    }
    const std::string_view piece = take_piece(rest, bytes);
    piece.copy(out.data() + size, piece.size());
    size += piece.size();
  }
  out.resize(size);
}

JsonMembers::JsonMembers(const JsonValue& object) : rest_(inside(object, JsonKind::object)) {}

std::optional<JsonMember> JsonMembers::next() {
  if (rest_.empty()) return std::nullopt;
  const JsonValue name = take_value(rest_);
  if (rest_.empty()) return std::nullopt;  // cannot happen in valid JSON
  return JsonMember{name, take_value(rest_)};
}

JsonElements::JsonElements(const JsonValue& array) : rest_(inside(array, JsonKind::array)) {}

std::optional<JsonValue> JsonElements::next() {
  if (rest_.empty()) return std::nullopt;
  return take_value(rest_);
}

}  // namespace roomcast::base
