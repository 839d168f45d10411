#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace roomcast::base {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

/// One value of a text that is_valid_json has taken: a view into that text, which must outlive it. Nothing is
/// copied and nothing is computed before it is asked for. With any other text the answers make no sense, but
/// nothing is read beyond its end.
class JsonValue {
 public:
  /// `text` is one value, with or without space around it.
  explicit JsonValue(std::string_view text);

  [[nodiscard]] JsonKind kind() const;
  [[nodiscard]] bool is(JsonKind kind) const { return this->kind() == kind; }
  /// The value's own bytes, as they stand in the text: a string with its quotes and escapes.
  [[nodiscard]] std::string_view raw() const { return raw_; }

  /// A number written with digits alone (no sign, fraction or exponent) and at most `max`; nothing for
  /// anything else.
  [[nodiscard]] std::optional<std::uint64_t> to_unsigned(std::uint64_t max) const;
  /// `true` or `false`; nothing for anything else.
  [[nodiscard]] std::optional<bool> to_bool() const;

  /// Whether it is a string that stands for `text`, however it is escaped.
  [[nodiscard]] bool equals(std::string_view text) const;
  /// Appends what a string stands for, in UTF-8. An escaped surrogate without its other half becomes U+FFFD.
  /// Never longer than raw(). Appends nothing for what is no string.
  void append_text(std::string& out) const;

 private:
  std::string_view raw_;
};

/// `name` is a string.
struct JsonMember {
  JsonValue name;
  JsonValue value;
};

/// Walks the members of an object in the order of the text, each in O(its length).
class JsonMembers {
 public:
  /// What is no object has no members.
  explicit JsonMembers(const JsonValue& object);
  [[nodiscard]] std::optional<JsonMember> next();

 private:
  std::string_view rest_;
};

/// Walks the elements of an array.
class JsonElements {
 public:
  /// What is no array has no elements.
  explicit JsonElements(const JsonValue& array);
  [[nodiscard]] std::optional<JsonValue> next();

 private:
  std::string_view rest_;
};

}  // namespace roomcast::base
