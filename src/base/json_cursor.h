#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/json.h"
#include "base/json_reader.h"

namespace roomcast::base {

/// The place behind the JSON string whose opening quote is at `at`; npos if there is none, or not all of one.
[[nodiscard]] std::size_t pass_json_string(std::string_view text, std::size_t at);

/// Reads one JSON text from front to back in one pass, and judges its grammar (RFC 8259) as far as it has
/// come. So a reader that stops early has paid for no more than it has seen, and one that goes on to the end
/// knows that the text is valid. No recursion, and no memory that grows with the text.
///
/// It stands in front of a value, or within a container in front of what `next_name` or `next_element` takes.
/// Once the text has turned out not to be JSON, or to be too deep, everything says no.
class JsonCursor {
 public:
  /// `text` is UTF-8 and outlives the cursor and all values it gives. Containers may be nested `depth_max`
  /// deep, at most json_depth_max.
  explicit JsonCursor(std::string_view text, std::size_t depth_max = json_depth_max);

  /// Of the value it stands in front of, as far as its first byte says.
  [[nodiscard]] JsonKind kind() const;
  /// Passes over the value it stands in front of. Nothing: it is none.
  std::optional<JsonValue> value();
  /// Goes into the array or object it stands in front of. False if there is none.
  [[nodiscard]] bool enter();
  /// Within an object: the name of its next member, whose value comes next. Nothing: the object has ended
  /// and been left, or the text is broken.
  [[nodiscard]] std::optional<JsonValue> next_name();
  /// Within an array: whether there is another element, which comes next; otherwise as above.
  [[nodiscard]] bool next_element();

  /// Of what has been passed: valid only once that is the whole text.
  [[nodiscard]] JsonVerdict verdict() const;
  /// Whether the text is no JSON, or too deep, at a place that has been reached.
  [[nodiscard]] bool has_failed() const { return failed_; }

 private:
  bool fail();
  /// Whether the container that is closed with `close` goes on, with the comma between. Leaves it if not.
  bool go_on(char close);
  std::size_t pass_value();

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_max_;
  std::size_t depth_ = 0;
  bool failed_ = false;
  bool too_deep_ = false;
  bool needs_comma_ = false;             // the container has had an element or member
  std::bitset<json_depth_max> objects_;  // for each open container whether it is an object
};

}  // namespace roomcast::base
