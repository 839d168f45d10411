#include "hub/cursor.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <system_error>

namespace roomcast::hub {

namespace {

constexpr std::size_t epoch_digits = 16;

bool is_lower_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

std::string to_cursor(Position position) {
  std::array<char, 20> digits{};
  char* const end = digits.data() + digits.size();
  const auto hex = std::to_chars(digits.data(), end, position.epoch, 16);
  const auto hex_size = static_cast<std::size_t>(hex.ptr - digits.data());
  std::string text(epoch_digits - hex_size, '0');
  text.append(digits.data(), hex_size);
  text += '-';
  const auto decimal = std::to_chars(digits.data(), end, position.offset);
  text.append(digits.data(), static_cast<std::size_t>(decimal.ptr - digits.data()));
  return text;
}

std::optional<Position> parse_cursor(std::string_view text) {
  if (text.size() < epoch_digits + 2 || text[epoch_digits] != '-') return std::nullopt;
  for (std::size_t i = 0; i < epoch_digits; ++i) {
    if (!is_lower_hex(text[i])) return std::nullopt;
  }
  const std::string_view offset = text.substr(epoch_digits + 1);
  // One spelling per position: no sign, no leading zero.
  if (offset.size() > 1 && offset.front() == '0') return std::nullopt;
  Position position;
  const char* const begin = text.data();
  if (std::from_chars(begin, begin + epoch_digits, position.epoch, 16).ec != std::errc{}) return std::nullopt;
  const auto parsed = std::from_chars(offset.data(), offset.data() + offset.size(), position.offset);
  if (parsed.ec != std::errc{} || parsed.ptr != offset.data() + offset.size()) return std::nullopt;
  return position;
}

}  // namespace roomcast::hub
