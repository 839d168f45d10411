#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hub/message.h"

namespace roomcast::hub {

/// The cursor "I have everything up to here" as one opaque, URL-safe string: `epoch-offset`, the epoch as 16
/// lower-case hexadecimal digits, the offset in decimal.
[[nodiscard]] std::string to_cursor(Position position);

/// Parses a cursor that to_cursor made; nothing for any other string, however hostile.
[[nodiscard]] std::optional<Position> parse_cursor(std::string_view text);

}  // namespace roomcast::hub
