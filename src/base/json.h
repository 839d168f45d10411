#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace roomcast::base {

/// Appends `text` as a JSON string with its quotes (RFC 8259 section 7). Bytes that are not UTF-8 become
/// U+FFFD, so that the output is always valid. Control characters (C0, DEL, C1) and the line separators
/// U+2028 and U+2029 are escaped: the output is one line to every reader.
void append_json_string(std::string& out, std::string_view text);

/// How deep arrays and objects may be nested at most.
inline constexpr std::size_t json_depth_max = 1024;

/// How long a number may be written at most. RFC 8259 section 9 leaves it to the reader; many stop at a few
/// thousand digits.
inline constexpr std::size_t json_number_bytes_max = 1000;

enum class JsonVerdict : std::uint8_t {
  valid,
  broken,
  too_deep,  ///< what comes before the place that is too deep is valid, the rest has not been looked at
};

/// Whether `text` is exactly one JSON value (RFC 8259) in UTF-8 with arrays and objects nested at most
/// `depth_max` deep (0..json_depth_max). Judges the grammar alone: numbers of any value and escapes of lone
/// surrogates pass. Needs no memory.
[[nodiscard]] JsonVerdict judge_json(std::string_view text, std::size_t depth_max = json_depth_max);

[[nodiscard]] inline bool is_valid_json(std::string_view text) {
  return judge_json(text) == JsonVerdict::valid;
}

/// Whether `text`, in UTF-8, is one JSON value (RFC 8259) in which arrays and objects are nested more than
/// `depth_max` deep. What is nested deeper than json_depth_max counts as JSON from there on.
[[nodiscard]] bool is_json_deeper_than(std::string_view text, std::size_t depth_max);

/// `json`, which is valid JSON, with `\ufffd` in place of each escaped surrogate that has no other half: such
/// a string has no form in UTF-8, and many readers of JSON stop at it. The result is `json` itself, or what
/// is laid down in `space`; it is as long as `json`.
[[nodiscard]] std::string_view with_whole_characters(std::string_view json, std::string& space);

}  // namespace roomcast::base
