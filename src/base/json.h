#pragma once

#include <string>
#include <string_view>

namespace roomcast::base {

/// Appends `text` as a JSON string with its quotes (RFC 8259 section 7). Bytes that are not UTF-8 become
/// U+FFFD, so that the output is always valid.
void append_json_string(std::string& out, std::string_view text);

/// Whether `text` is exactly one JSON value (RFC 8259). Depth is bounded by the parser (1,024).
[[nodiscard]] bool is_valid_json(std::string_view text);

}  // namespace roomcast::base
