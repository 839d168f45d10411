#pragma once

#include <cstdint>
#include <string_view>

namespace roomcast::hub {

/// The origin of a publish, as one of 4,095 groups: the keyed hash of a client's numeric address, of IPv6 its
/// /64. Different in every process. 0: unknown.
using Source = std::uint16_t;

/// Every source is less than this.
inline constexpr Source source_count = 4'096;

/// Never 0.
[[nodiscard]] Source source_of(std::string_view address);

}  // namespace roomcast::hub
