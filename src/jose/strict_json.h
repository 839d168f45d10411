#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_reader.h"

namespace roomcast::jose {

/// How deep arrays and objects may be nested in a token or a key set.
inline constexpr std::size_t json_depth_max = 32;

/// Checks that `text` is one JSON object that every reader understands alike: no member name occurs twice in
/// an object at any depth (RFC 7515 section 4, RFC 7519 section 4), no escape stands for half a surrogate
/// pair. Returns what is wrong, to be read after the name of the text: "is not JSON".
[[nodiscard]] std::optional<std::string> check_object(std::string_view text);

/// The value of the member `name` of `object`; nothing if there is none.
[[nodiscard]] std::optional<base::JsonValue> find_member(const base::JsonValue& object,
                                                         std::string_view name);

/// The value of `value` if it is a string without NUL, which some readers take for the end of a text.
[[nodiscard]] std::optional<std::string> text_of(const base::JsonValue& value);

/// `text` in quotes for a message: its first 64 bytes, with control characters and quotes escaped.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace roomcast::jose
