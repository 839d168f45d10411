#pragma once

#include <string>
#include <string_view>

namespace roomcast::base {

/// Appends `text` as a JSON string with its quotes (RFC 8259 section 7). Bytes that are not UTF-8 become
/// U+FFFD, so that the output is always valid. Control characters (C0, DEL, C1) and the line separators
/// U+2028 and U+2029 are escaped: the output is one line to every reader.
void append_json_string(std::string& out, std::string_view text);

/// Whether `text` is exactly one JSON value (RFC 8259) in UTF-8, nested at most 1,024 deep. Judges the
/// grammar alone: numbers of any size and escapes of lone surrogates pass. Needs no memory.
[[nodiscard]] bool is_valid_json(std::string_view text);

}  // namespace roomcast::base
