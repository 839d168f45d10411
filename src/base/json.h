#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace roomcast::base {

/// Appends `text` as a JSON string with its quotes (RFC 8259 section 7). Bytes that are not UTF-8 become
/// U+FFFD, so that the output is always valid. Control characters (C0, DEL, C1) and the line separators
/// U+2028 and U+2029 are escaped, so that no reader sees a line break.
void append_json_string(std::string& out, std::string_view text);

/// The largest supported nesting depth of arrays and objects.
inline constexpr std::size_t json_depth_max = 1024;

/// The largest length of a number in bytes. RFC 8259 section 9 leaves it to the reader; many fail at a few
/// thousand digits.
inline constexpr std::size_t json_number_bytes_max = 1000;

enum class JsonVerdict : std::uint8_t {
  valid,
  broken,
  too_deep,  ///< valid up to the value that is nested too deep; the rest was not examined
};

/// Whether `text` is exactly one JSON value (RFC 8259) in UTF-8 with arrays and objects nested at most
/// `depth_max` deep (0..json_depth_max). Checks the grammar only: numbers of any value and escapes of lone
/// surrogates pass. Does not allocate.
[[nodiscard]] JsonVerdict judge_json(std::string_view text, std::size_t depth_max = json_depth_max);

[[nodiscard]] inline bool is_valid_json(std::string_view text) {
  return judge_json(text) == JsonVerdict::valid;
}

/// Whether `text`, which is UTF-8, is one JSON value (RFC 8259) in which arrays and objects are nested more
/// than `depth_max` deep. Beyond a depth of json_depth_max the text is assumed to be valid.
[[nodiscard]] bool is_json_deeper_than(std::string_view text, std::size_t depth_max);

/// `json`, which is valid JSON, with `\ufffd` in place of each escaped lone surrogate: such a string cannot
/// be encoded in UTF-8, and many JSON readers reject it. Returns `json` itself or a view of `space`, of the
/// same length.
[[nodiscard]] std::string_view with_whole_characters(std::string_view json, std::string& space);

}  // namespace roomcast::base
