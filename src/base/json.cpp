#include "base/json.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "base/json_cursor.h"
#include "base/text.h"

namespace roomcast::base {

namespace {

/// The UTF-8 character at the front of a text; `size` is 0 if it is malformed.
struct Character {
  std::uint32_t code = 0;
  std::size_t size = 0;
};

/// `is_valid`: `text` is known to be valid UTF-8.
Character decode_character(std::string_view text, bool is_valid) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (size == 1) return {lead, 1};
  if (size == 0 || size > text.size() || lead > 0xF4) return {};
  if (!is_valid && !is_valid_utf8(text.substr(0, size))) return {};
  std::uint32_t code = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i)
    code = code << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
  return {code, size};
}

enum PlainByte : std::uint8_t {
  plain_ascii = 1,
  plain_utf8 = 2,  // in valid UTF-8: needs no escape, or is part of a character that needs none
};

constexpr std::array<std::uint8_t, 256> make_json_plain_bytes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0x20; c < classes.size(); ++c) {
    if (c < 0x7F && c != '"' && c != '\\') classes.at(c) = plain_ascii | plain_utf8;
    // C2 begins U+0080 to U+009F, E2 begins U+2028 and U+2029.
    if (c >= 0x80 && c != 0xC2 && c != 0xE2) classes.at(c) = plain_utf8;
  }
  return classes;
}
constexpr auto json_plain_bytes = make_json_plain_bytes();

/// Characters that a reader may take for a line break, or a terminal for a control sequence.
bool must_be_escaped(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
}

/// The letter of a two-character escape; NUL for characters that have none.
constexpr char short_escape(std::uint32_t code) {
  switch (code) {
    case '"':
    case '\\':
      return static_cast<char>(code);
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return '\0';
  }
}

void append_escape(std::string& out, std::uint32_t code) {
  if (const char letter = short_escape(code); letter != '\0') {
    const std::array<char, 2> escape{'\\', letter};
    out.append(escape.data(), escape.size());
    return;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  const std::array<char, 6> escape{'\\',
                                   'u',
                                   digits[code >> 12U & 15U],
                                   digits[code >> 8U & 15U],
                                   digits[code >> 4U & 15U],
                                   digits[code & 15U]};
  out.append(escape.data(), escape.size());
}

/// Appends the first character of `text`, escaped if necessary, or U+FFFD if it is malformed; returns its
/// size.
std::size_t append_character(std::string& out, std::string_view text, bool is_valid) {
  const Character character = decode_character(text, is_valid);
  if (character.size == 0) {
    out += "\xEF\xBF\xBD";
    return 1;
  }
  if (character.code == '"' || character.code == '\\' || must_be_escaped(character.code)) {
    append_escape(out, character.code);
  } else {
    out += text.substr(0, character.size);
  }
  return character.size;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  PlainByte plain = plain_ascii;
  bool is_judged = false;
  while (!text.empty()) {
    std::size_t size = 0;
    while (size < text.size() && (json_plain_bytes[static_cast<unsigned char>(text[size])] & plain) != 0)
      ++size;
    out += text.substr(0, size);
    text.remove_prefix(size);
    if (text.empty()) break;
    if (!is_judged && static_cast<unsigned char>(text.front()) >= 0x80) {
      // Validating the whole text at once is much cheaper than character by character.
      is_judged = true;
      if (is_valid_utf8(text)) plain = plain_utf8;
    } else {
      text.remove_prefix(append_character(out, text, plain == plain_utf8));
    }
  }
  out += '"';
}

JsonVerdict judge_json(std::string_view text, std::size_t depth_max) {
  if (!is_valid_utf8(text)) return JsonVerdict::broken;
  JsonCursor cursor(text, depth_max);
  cursor.value();
  return cursor.verdict();
}

namespace {

constexpr std::size_t escape_bytes = 6;  // \uXXXX

/// The UTF-16 code unit of the escape `\uXXXX` at `at`; 0 if there is no such escape.
std::uint32_t code_unit_at(std::string_view text, std::size_t at) {
  const std::string_view escape = text.substr(at, escape_bytes);
  if (escape.size() < escape_bytes || escape[0] != '\\' || escape[1] != 'u') return 0;
  std::uint32_t unit = 0;
  std::from_chars(escape.data() + 2, escape.data() + escape_bytes, unit, 16);
  return unit;
}

bool is_high(std::uint32_t unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low(std::uint32_t unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

/// The position of the first lone surrogate at or after `at`; npos if there is none.
std::size_t find_lone_surrogate(std::string_view json, std::size_t at) {
  // In valid JSON, backslashes occur in strings only.
  for (at = json.find('\\', at); at != std::string_view::npos; at = json.find('\\', at)) {
    const std::uint32_t unit = at + 1 < json.size() && json[at + 1] == 'u' ? code_unit_at(json, at) : 0;
    if (is_low(unit)) return at;
    if (is_high(unit)) {
      if (!is_low(code_unit_at(json, at + escape_bytes))) return at;
      at += escape_bytes;
    }
    at += 2;
  }
  return at;
}

}  // namespace

bool is_json_deeper_than(std::string_view text, std::size_t depth_max) {
  // That depth takes as many opening brackets, and the same number of closing ones.
  if (text.size() < 2 * (depth_max + 1)) return false;
  JsonCursor cursor(text, depth_max);
  cursor.value();
  if (cursor.verdict() != JsonVerdict::too_deep) return false;
  JsonCursor whole(text);
  whole.value();
  return whole.verdict() != JsonVerdict::broken;
}

std::string_view with_whole_characters(std::string_view json, std::string& space) {
  std::size_t at = find_lone_surrogate(json, 0);
  if (at == std::string_view::npos) return json;
  space = json;
  for (; at != std::string_view::npos; at = find_lone_surrogate(space, at + escape_bytes))
    space.replace(at, escape_bytes, "\\ufffd");
  return space;
}

}  // namespace roomcast::base
