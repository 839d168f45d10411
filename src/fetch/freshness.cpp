#include "fetch/freshness.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/text.h"

namespace roomcast::fetch {

namespace {

/// delta-seconds (RFC 9111 section 1.2.2): what is too large for 31 bits is the largest number. Nothing if
/// `text` is no number.
std::optional<std::int64_t> delta_seconds(std::string_view text) {
  constexpr std::int64_t largest = std::numeric_limits<std::int32_t>::max();
  if (!base::is_digits(text)) return std::nullopt;
  std::int64_t seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return read.ec == std::errc() ? std::min(seconds, largest) : largest;
}

std::string_view without_quotes(std::string_view text) {
  const bool is_quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return is_quoted ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

std::optional<std::int64_t> freshness_s(std::string_view cache_control, std::string_view age) {
  std::optional<std::int64_t> max_age;
  for (const std::string_view element : base::list_elements(cache_control)) {
    const std::size_t equals = element.find('=');
    const std::string_view name = base::trim(element.substr(0, equals));
    if (base::equals_ignoring_case(name, "no-store") || base::equals_ignoring_case(name, "no-cache"))
      return 0;
    if (!base::equals_ignoring_case(name, "max-age")) continue;
    const std::string_view value = equals == std::string_view::npos ? "" : element.substr(equals + 1);
    const auto seconds = delta_seconds(without_quotes(base::trim(value)));
    if (!seconds || (max_age && *max_age != *seconds)) return 0;
    max_age = seconds;
  }
  if (!max_age) return std::nullopt;
  return std::max<std::int64_t>(0, *max_age - delta_seconds(base::trim(age)).value_or(0));
}

}  // namespace roomcast::fetch
