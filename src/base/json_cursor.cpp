#include "base/json_cursor.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace roomcast::base {
namespace {

// These functions take a text and a position, and return the position after what they have read, or `none`.
// Positions are passed by value, so that they stay in registers: bodies can be megabytes long.

constexpr std::size_t none = std::string_view::npos;

enum ByteClass : std::uint8_t {
  plain_byte = 1,  // needs no escape within a string
  space_byte = 2,
  digit_byte = 4,
  hex_byte = 8,
  escape_byte = 16,  // may follow a backslash, except 'u'
};

constexpr std::array<std::uint8_t, 256> make_byte_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < classes.size(); ++c) {
    if (c >= 0x20 && c != '"' && c != '\\') classes.at(c) |= plain_byte;
    if (c >= '0' && c <= '9') classes.at(c) |= digit_byte | hex_byte;
    if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) classes.at(c) |= hex_byte;
  }
  for (const char c : std::string_view(" \t\r\n"))
    classes.at(static_cast<unsigned char>(c)) |= space_byte;
  for (const char c : std::string_view("\"\\/bfnrt"))
    classes.at(static_cast<unsigned char>(c)) |= escape_byte;
  return classes;
}
constexpr auto byte_classes = make_byte_classes();

inline bool is_a(ByteClass wanted, std::string_view text, std::size_t at) {
  return at < text.size() && (byte_classes[static_cast<unsigned char>(text[at])] & wanted) != 0;
}

inline char at_or_nul(std::string_view text, std::size_t at) { return at < text.size() ? text[at] : '\0'; }

inline std::size_t pass(ByteClass run, std::string_view text, std::size_t at) {
  while (is_a(run, text, at))
    ++at;
  return at;
}

inline std::size_t pass_space(std::string_view text, std::size_t at) {
  // Usually there is none.
  return at_or_nul(text, at) > ' ' ? at : pass(space_byte, text, at);
}

/// Whether none of the eight bytes at `at` needs an escape within a string: no quote, backslash or control
/// character. Tests all of them at once, as in "Bit Twiddling Hacks" (determine if a word has a byte less
/// than n).
inline bool are_eight_plain(std::string_view text, std::size_t at) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t high_bits = 0x80 * ones;
  const auto zero_bytes = [](std::uint64_t word) { return (word - ones) & ~word & high_bits; };
  std::uint64_t word = 0;
  std::memcpy(&word, text.data() + at, sizeof word);
  const std::uint64_t control = (word - 0x20 * ones) & ~word & high_bits;
  return (zero_bytes(word ^ ('"' * ones)) | zero_bytes(word ^ ('\\' * ones)) | control) == 0;
}

inline std::size_t pass_plain(std::string_view text, std::size_t at) {
  if (!is_a(plain_byte, text, at)) return at;
  while (at + sizeof(std::uint64_t) <= text.size() && are_eight_plain(text, at))
    at += sizeof(std::uint64_t);
  return pass(plain_byte, text, at);
}

/// Passes at least one digit.
inline std::size_t pass_digits(std::string_view text, std::size_t at) {
  const std::size_t end = pass(digit_byte, text, at);
  return end > at ? end : none;
}

std::size_t pass_number(std::string_view text, std::size_t at) {
  if (at_or_nul(text, at) == '-') ++at;
  at = at_or_nul(text, at) == '0' ? at + 1 : pass_digits(text, at);
  if (at != none && at_or_nul(text, at) == '.') at = pass_digits(text, at + 1);
  if (at == none) return none;
  const char c = at_or_nul(text, at);
  if (c != 'e' && c != 'E') return at;
  ++at;
  const char sign = at_or_nul(text, at);
  return pass_digits(text, sign == '+' || sign == '-' ? at + 1 : at);
}

std::size_t pass_word(std::string_view word, std::string_view text, std::size_t at) {
  return text.substr(at, word.size()) == word ? at + word.size() : none;
}

inline std::size_t pass_scalar(std::string_view text, std::size_t at) {
  switch (at_or_nul(text, at)) {
    case '"':
      return pass_json_string(text, at);
    case 't':
      return pass_word("true", text, at);
    case 'f':
      return pass_word("false", text, at);
    case 'n':
      return pass_word("null", text, at);
    default: {
      const std::size_t end = pass_number(text, at);
      return end != none && end - at > json_number_bytes_max ? none : end;
    }
  }
}

/// Passes the name of a member with the colon and the space around both.
std::size_t pass_name(std::string_view text, std::size_t at) {
  at = pass_json_string(text, pass_space(text, at));
  if (at == none) return none;
  at = pass_space(text, at);
  return at_or_nul(text, at) == ':' ? at + 1 : none;
}

}  // namespace

std::size_t pass_json_string(std::string_view text, std::size_t at) {
  constexpr std::size_t hex_digits = 4;
  if (at_or_nul(text, at) != '"') return none;
  ++at;
  for (;;) {
    at = pass_plain(text, at);
    const char c = at_or_nul(text, at);
    if (c == '"') return at + 1;
    if (c != '\\') return none;
    ++at;
    if (at_or_nul(text, at) == 'u') {
      const std::size_t end = at + 1 + hex_digits;
      for (++at; at < end; ++at) {
        if (!is_a(hex_byte, text, at)) return none;
      }
    } else {
      if (!is_a(escape_byte, text, at)) return none;
      ++at;
    }
  }
}

JsonCursor::JsonCursor(std::string_view text, std::size_t depth_max)
    : text_(text), at_(pass_space(text, 0)), depth_max_(std::min(depth_max, json_depth_max)) {}

JsonKind JsonCursor::kind() const { return JsonValue(text_.substr(at_, 1)).kind(); }

bool JsonCursor::fail() {
  failed_ = true;
  at_ = text_.size();
  return false;
}

std::optional<JsonValue> JsonCursor::value() {
  if (failed_) return std::nullopt;
  const std::size_t begin = at_;
  const std::size_t end = pass_value();
  if (end == none) return fail(), std::nullopt;
  at_ = end;
  needs_comma_ = true;
  return JsonValue(text_.substr(begin, end - begin));
}

/// The position after the next value and the space that follows it.
std::size_t JsonCursor::pass_value() {
  const std::string_view text = text_;
  const std::size_t outer_depth = depth_;
  std::size_t depth = outer_depth;
  bool in_object = false;
  std::size_t at = at_;
  for (;;) {
    // Before a value: descend to its first scalar or empty container.
    at = pass_space(text, at);
    const char open = at_or_nul(text, at);
    if (open == '{' || open == '[') {
      too_deep_ = depth == depth_max_;
      if (too_deep_) return none;
      const bool is_object = open == '{';
      at = pass_space(text, at + 1);
      if (at_or_nul(text, at) != (is_object ? '}' : ']')) {
        objects_[depth++] = in_object = is_object;
        if (is_object) at = pass_name(text, at);
        if (at == none) return none;
        continue;
      }
      ++at;
    } else {
      at = pass_scalar(text, at);
      if (at == none) return none;
    }
    // After a value: leave the containers that end here, up to a comma and the name of the next member.
    at = pass_space(text, at);
    for (char c = at_or_nul(text, at); c != ',' || depth == outer_depth; c = at_or_nul(text, at)) {
      if (depth == outer_depth) return at;
      if (c != (in_object ? '}' : ']')) return none;
      --depth;
      in_object = depth > outer_depth && objects_[depth - 1];
      at = pass_space(text, at + 1);
    }
    ++at;
    if (in_object) at = pass_name(text, at);
    if (at == none) return none;
  }
}

bool JsonCursor::enter() {
  const char open = at_or_nul(text_, at_);
  if (failed_ || (open != '{' && open != '[')) return fail();
  too_deep_ = depth_ == depth_max_;
  if (too_deep_) return fail();
  objects_[depth_++] = open == '{';
  ++at_;
  needs_comma_ = false;
  return true;
}

bool JsonCursor::go_on(char close) {
  if (failed_) return false;
  at_ = pass_space(text_, at_);
  const char c = at_or_nul(text_, at_);
  if (c == close) {
    --depth_;
    at_ = pass_space(text_, at_ + 1);
    needs_comma_ = true;
    return false;
  }
  if (needs_comma_) {
    if (c != ',') return fail();
    at_ = pass_space(text_, at_ + 1);
  }
  return true;
}

bool JsonCursor::next_element() { return go_on(']'); }

std::optional<JsonValue> JsonCursor::next_name() {
  if (!go_on('}')) return std::nullopt;
  const std::size_t end = pass_json_string(text_, at_);
  const std::size_t colon = end == none ? none : pass_space(text_, end);
  if (colon == none || at_or_nul(text_, colon) != ':') return fail(), std::nullopt;
  const JsonValue name(text_.substr(at_, end - at_));
  at_ = pass_space(text_, colon + 1);
  return name;
}

JsonVerdict JsonCursor::verdict() const {
  if (too_deep_) return JsonVerdict::too_deep;
  return !failed_ && depth_ == 0 && needs_comma_ && at_ == text_.size() ? JsonVerdict::valid
                                                                        : JsonVerdict::broken;
}

}  // namespace roomcast::base
