#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace roomcast::base {

/// Whether `text`, in UTF-8, is one JSON value (RFC 8259) in which arrays and objects are nested more than
/// `depth_max` deep. What is nested deeper than json_depth_max counts as JSON from there on.
[[nodiscard]] bool is_json_deeper_than(std::string_view text, std::size_t depth_max);

/// `json`, which is valid JSON, with `\ufffd` in place of each escaped surrogate that has no other half: such
/// a string has no form in UTF-8, and many readers of JSON stop at it. The result is `json` itself, or what
/// is laid down in `space`; it is as long as `json`.
[[nodiscard]] std::string_view with_whole_characters(std::string_view json, std::string& space);

}  // namespace roomcast::base
