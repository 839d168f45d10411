#include "base/text.h"

#include <simdjson.h>

#include <algorithm>

namespace roomcast::base {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_space(char c) { return c == ' ' || c == '\t'; }

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  // Usually the words are identical, or differ in the first character.
  if (a == b) return true;
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string lower_case(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), lower);
  return lowered;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return text;
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

std::vector<std::string_view> list_elements(std::string_view list) {
  std::vector<std::string_view> elements;
  while (true) {
    const auto comma = list.find(',');
    elements.push_back(trim(list.substr(0, comma)));
    if (comma == std::string_view::npos) return elements;
    list.remove_prefix(comma + 1);
  }
}

bool list_has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (equals_ignoring_case(trim(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

bool is_valid_utf8(std::string_view text) {
  // simdjson does not promise to accept the null pointer that an empty view may have.
  return text.empty() || simdjson::validate_utf8(text.data(), text.size());
}

bool has_control_character(std::string_view text) {
  unsigned char previous = 0;
  return std::any_of(text.begin(), text.end(), [&previous](char c) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_c1 = previous == 0xC2 && byte < 0xA0;
    previous = byte;
    return byte < 0x20 || byte == 0x7F || is_c1;
  });
}

std::string_view cut_between_characters(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  const auto continues_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  std::size_t end = bytes_max;
  while (end > 0 && continues_character(text[end]))
    --end;
  return text.substr(0, end);
}

}  // namespace roomcast::base
