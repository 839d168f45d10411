#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace roomcast::base {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

/// One value of a text that is_valid_json accepts: a view of that text, which must outlive it. Nothing is
/// copied, and nothing is computed until it is requested. With other texts the results are unspecified, but
/// nothing is read beyond the end.
class JsonValue {
 public:
  /// `text` is one value, which white space may surround.
  explicit JsonValue(std::string_view text);

  [[nodiscard]] JsonKind kind() const;
  [[nodiscard]] bool is(JsonKind kind) const { return this->kind() == kind; }
  /// The bytes of the value as written: a string with its quotes and escapes.
  [[nodiscard]] std::string_view raw() const { return raw_; }

  /// The value of a number of digits only (no sign, fraction or exponent) that is at most `max`; otherwise
  /// nothing.
  [[nodiscard]] std::optional<std::uint64_t> to_unsigned(std::uint64_t max) const;
  /// The value of `true` or `false`; otherwise nothing.
  [[nodiscard]] std::optional<bool> to_bool() const;

  /// Whether this is a string whose value is `text`, however it is escaped.
  [[nodiscard]] bool equals(std::string_view text) const;
  /// Appends the value of a string in UTF-8, never longer than raw(). Escaped lone surrogates become U+FFFD.
  /// Appends nothing if this is not a string.
  void append_text(std::string& out) const;

 private:
  std::string_view raw_;
};

/// `name` is a string.
struct JsonMember {
  JsonValue name;
  JsonValue value;
};

/// Iterates over the members of an object in order, each in O(its length).
class JsonMembers {
 public:
  /// A value that is not an object has no members.
  explicit JsonMembers(const JsonValue& object);
  [[nodiscard]] std::optional<JsonMember> next();

 private:
  std::string_view rest_;
};

/// Iterates over the elements of an array in order.
class JsonElements {
 public:
  /// A value that is not an array has no elements.
  explicit JsonElements(const JsonValue& array);
  [[nodiscard]] std::optional<JsonValue> next();

 private:
  std::string_view rest_;
};

}  // namespace roomcast::base
