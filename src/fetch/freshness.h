#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace roomcast::fetch {

/// How many seconds a response stays fresh (RFC 9111 section 4.2), for a private cache: max-age of
/// `cache_control`, all fields of that name joined by commas, less `age`, at least 0. 0 for no-store and
/// no-cache, and if a max-age is no number or there are several that differ (section 4.2.1). Nothing without
/// any of these.
[[nodiscard]] std::optional<std::int64_t> freshness_s(std::string_view cache_control, std::string_view age);

}  // namespace roomcast::fetch
