#include "base/json.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/json_cursor.h"
#include "base/utf8.h"

namespace roomcast::base {
namespace {

/// One character of UTF-8 at the front of `text`; `size` 0 if it is not well-formed.
struct Character {
  std::uint32_t code = 0;
  std::size_t size = 0;
};

constexpr std::size_t character_size(unsigned char lead) {
  return lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/// `text` is well-formed.
Character decode_valid_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = character_size(lead);
  if (size == 1) return {lead, 1};
  std::uint32_t code = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i)
    code = code << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
  return {code, size};
}

Character decode_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = character_size(lead);
  if (size == 0 || size > text.size() || lead > 0xF4 || !is_valid_utf8(text.substr(0, size))) return {};
  return decode_valid_character(text);
}

bool is_plain_ascii(char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

/// Characters that some reader takes for the end of a line or a terminal for a command.
bool must_be_escaped(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
}

void append_escape(std::string& out, std::uint32_t code) {
  switch (code) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
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

/// Appends what needs no look at it from the front of `text`, which it shortens.
void append_plain(std::string& out, std::string_view& text) {
  std::size_t plain = 0;
  while (plain < text.size() && is_plain_ascii(text[plain]))
    ++plain;
  out += text.substr(0, plain);
  text.remove_prefix(plain);
}

void append_character(std::string& out, std::string_view bytes, std::uint32_t code) {
  if (code == '"' || code == '\\' || must_be_escaped(code)) {
    append_escape(out, code);
  } else {
    out += bytes;
  }
}

/// Of well-formed UTF-8: whether a character that begins with this byte may have to be escaped.
constexpr bool may_need_escape(char c) {
  const auto lead = static_cast<unsigned char>(c);
  return lead < 0x20 || c == '"' || c == '\\' || lead == 0x7F || lead == 0xC2 || lead == 0xE2;
}

/// Of well-formed UTF-8.
void append_valid(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::size_t run = 0;
    while (run < text.size() && !may_need_escape(text[run]))
      ++run;
    out += text.substr(0, run);
    text.remove_prefix(run);
    if (text.empty()) return;
    const Character character = decode_valid_character(text);
    append_character(out, text.substr(0, character.size), character.code);
    text.remove_prefix(character.size);
  }
}

/// Of anything: what is no UTF-8 becomes U+FFFD.
void append_repaired(std::string& out, std::string_view text) {
  for (append_plain(out, text); !text.empty(); append_plain(out, text)) {
    const Character character = decode_character(text);
    if (character.size == 0) {
      out += "\xEF\xBF\xBD";
    } else {
      append_character(out, text.substr(0, character.size), character.code);
    }
    text.remove_prefix(character.size == 0 ? 1 : character.size);
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_plain(out, text);
  if (is_valid_utf8(text)) {
    append_valid(out, text);
  } else {
    append_repaired(out, text);
  }
  out += '"';
}

JsonVerdict judge_json(std::string_view text, std::size_t depth_max) {
  if (!is_valid_utf8(text)) return JsonVerdict::broken;
  JsonCursor cursor(text, depth_max);
  cursor.value();
  return cursor.verdict();
}

}  // namespace roomcast::base
