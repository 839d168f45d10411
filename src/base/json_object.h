#pragma once

#include <cstddef>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_reader.h"
#include "base/result.h"

namespace roomcast::base {

/// How deep arrays and objects may be nested in a text for read_json_object.
inline constexpr std::size_t json_object_depth_max = 32;

/// A JSON object that has no member twice, nor has any object within it. Refers to its text, which must
/// outlive it.
struct JsonObject {
  struct Member {
    std::string_view name;  ///< without escapes
    JsonValue value;
  };

  std::vector<Member> members;               ///< in order
  std::forward_list<std::string> unescaped;  ///< what names that are written with escapes stand for

  /// The value of the member `name`; nothing if there is none.
  [[nodiscard]] std::optional<JsonValue> find(std::string_view name) const;
};

/// Reads `text` if it is one JSON object that every reader understands alike: valid UTF-8, no member name
/// twice in an object at any depth (RFC 7515 section 4, RFC 7519 section 4), no escape of half a surrogate
/// pair. In one pass. The error is to be read after the name of the text: "is not JSON".
[[nodiscard]] Result<JsonObject> read_json_object(std::string_view text);

}  // namespace roomcast::base
