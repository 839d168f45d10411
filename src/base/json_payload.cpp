#include "base/json_payload.h"

#include <charconv>
#include <cstdint>

#include "base/json_cursor.h"

namespace roomcast::base {

namespace {

constexpr std::size_t escape_bytes = 6;  // \uXXXX

/// The UTF-16 code unit of the escape `\uXXXX` at `at`; 0 if there is none.
std::uint32_t code_unit_at(std::string_view text, std::size_t at) {
  const std::string_view escape = text.substr(at, escape_bytes);
  if (escape.size() < escape_bytes || escape[0] != '\\' || escape[1] != 'u') return 0;
  std::uint32_t unit = 0;
  std::from_chars(escape.data() + 2, escape.data() + escape_bytes, unit, 16);
  return unit;
}

bool is_high(std::uint32_t unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low(std::uint32_t unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

/// The place of the first lone surrogate from `at` on; npos if there is none.
std::size_t find_lone_surrogate(std::string_view json, std::size_t at) {
  // In valid JSON backslashes stand in strings alone.
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
  // So many brackets, and as many that close them.
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
