#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/json.h"
#include "base/json_reader.h"

namespace roomcast::base {

/// The position after the JSON string whose opening quote is at `at`; npos if there is no complete string.
[[nodiscard]] std::size_t pass_json_string(std::string_view text, std::size_t at);

/// Reads one JSON text (RFC 8259) in a single pass and validates it as far as it has read: callers that stop
/// early pay only for what they read, callers that read to the end know that the text is valid. No recursion,
/// and no memory that grows with the text.
///
/// The cursor is positioned before a value, or within a container before what `next_name` or `next_element`
/// reads. Once the text has turned out to be invalid or too deep, all calls fail.
class JsonCursor {
 public:
  /// `text` is UTF-8 and outlives the cursor and all values it returns. Containers may be nested `depth_max`
  /// deep, at most json_depth_max.
  explicit JsonCursor(std::string_view text, std::size_t depth_max = json_depth_max);

  /// Where in the text what is read next begins.
  [[nodiscard]] std::size_t position() const { return at_; }
  /// The kind of the next value, judged by its first byte.
  [[nodiscard]] JsonKind kind() const;
  /// Reads the next value; nothing if there is no valid one.
  std::optional<JsonValue> value();
  /// Enters the next value, an array or object. False if it is neither.
  [[nodiscard]] bool enter();
  /// Within an object: reads the name of the next member; its value comes next. Nothing at the end of the
  /// object, which is left, or if the text is invalid.
  [[nodiscard]] std::optional<JsonValue> next_name();
  /// Within an array: whether there is another element, which comes next. False at the end of the array,
  /// which is left, or if the text is invalid.
  [[nodiscard]] bool next_element();

  /// The verdict on the part that was read; `valid` only once that is the whole text.
  [[nodiscard]] JsonVerdict verdict() const;
  /// Whether the part that was read is not JSON or is nested too deep.
  [[nodiscard]] bool has_failed() const { return failed_; }

 private:
  bool fail();
  /// Moves to the next item of the container that ends with `close`, passing the comma. False at its end,
  /// which is left.
  bool go_on(char close);
  std::size_t pass_value();

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_max_;
  std::size_t depth_ = 0;
  bool failed_ = false;
  bool too_deep_ = false;
  bool needs_comma_ = false;             // an item of the container has been read
  std::bitset<json_depth_max> objects_;  // whether the open container at each depth is an object
};

}  // namespace roomcast::base
