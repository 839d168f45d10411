#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json_reader.h"

namespace roomcast::jose {

/// The value of the member `name` of `object`; nothing if there is none.
[[nodiscard]] std::optional<base::JsonValue> find_member(const base::JsonValue& object,
                                                         std::string_view name);

/// The value of `value` if it is a string without NUL, which some readers take for the end of a text.
[[nodiscard]] std::optional<std::string> text_of(const base::JsonValue& value);

/// `text` in quotes for a message: its first 64 bytes, with control characters and quotes escaped.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace roomcast::jose
