#include "base/json.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>

#include "base/utf8.h"

namespace roomcast::base {
namespace {

/// One character of UTF-8 at the front of `text`; `size` 0 if it is not well-formed.
struct Character {
  std::uint32_t code = 0;
  std::size_t size = 0;
};

constexpr std::size_t character_size(unsigned char lead) {
  return lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/// `text` is well-formed.
Character decode_valid_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = character_size(lead);
  if (size == 1) return {lead, 1};
  std::uint32_t code = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i)
    code = code << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
  return {code, size};
}

Character decode_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = character_size(lead);
  if (size == 0 || size > text.size() || lead > 0xF4 || !is_valid_utf8(text.substr(0, size))) return {};
  return decode_valid_character(text);
}

bool is_plain_ascii(char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

/// Characters that some reader takes for the end of a line or a terminal for a command.
bool must_be_escaped(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
}

void append_escape(std::string& out, std::uint32_t code) {
  switch (code) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  const std::array<char, 6> escape{'\\',
                                   'u',
                                   digits[code >> 12U & 15U],
                                   digits[code >> 8U & 15U],
                                   digits[code >> 4U & 15U],
                                   digits[code & 15U]};
  out.append(escape.data(), escape.size());
}

/// Appends what needs no look at it from the front of `text`, which it shortens.
void append_plain(std::string& out, std::string_view& text) {
  std::size_t plain = 0;
  while (plain < text.size() && is_plain_ascii(text[plain]))
    ++plain;
  out += text.substr(0, plain);
  text.remove_prefix(plain);
}

void append_character(std::string& out, std::string_view bytes, std::uint32_t code) {
  if (code == '"' || code == '\\' || must_be_escaped(code)) {
    append_escape(out, code);
  } else {
    out += bytes;
  }
}

/// Of well-formed UTF-8: whether a character that begins with this byte may have to be escaped.
constexpr bool may_need_escape(char c) {
  const auto lead = static_cast<unsigned char>(c);
  return lead < 0x20 || c == '"' || c == '\\' || lead == 0x7F || lead == 0xC2 || lead == 0xE2;
}

/// Of well-formed UTF-8.
void append_valid(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::size_t run = 0;
    while (run < text.size() && !may_need_escape(text[run]))
      ++run;
    out += text.substr(0, run);
    text.remove_prefix(run);
    if (text.empty()) return;
    const Character character = decode_valid_character(text);
    append_character(out, text.substr(0, character.size), character.code);
    text.remove_prefix(character.size);
  }
}

/// Of anything: what is no UTF-8 becomes U+FFFD.
void append_repaired(std::string& out, std::string_view text) {
  for (append_plain(out, text); !text.empty(); append_plain(out, text)) {
    const Character character = decode_character(text);
    if (character.size == 0) {
      out += "\xEF\xBF\xBD";
    } else {
      append_character(out, text.substr(0, character.size), character.code);
    }
    text.remove_prefix(character.size == 0 ? 1 : character.size);
  }
}

/// Checks the grammar of RFC 8259 without recursion and without memory that grows with the input. The text
/// is known to be UTF-8. Written by hand because a parser that computes values refuses numbers and escapes
/// that are valid JSON, and needs many times the text's size.
class JsonChecker {
 public:
  JsonChecker(std::string_view text, std::size_t depth_max)
      : text_(text), depth_max_(std::min(depth_max, json_depth_max)) {}

  JsonVerdict judge() {
    if (check()) return JsonVerdict::valid;
    return too_deep_ ? JsonVerdict::too_deep : JsonVerdict::broken;
  }

 private:
  bool check() {
    while (true) {
      if (!open_containers_to_scalar()) return false;
      if (!close_containers()) return false;
      if (depth_ == 0) return at_ == text_.size();
    }
  }

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  /// Reads the beginning of one value down to its first scalar or empty container.
  bool open_containers_to_scalar() {
    while (true) {
      skip_space();
      const bool is_object = peek() == '{';
      if (!is_object && peek() != '[') return scalar();
      too_deep_ = depth_ == depth_max_;
      if (too_deep_) return false;
      ++at_;
      skip_space();
      if (take(is_object ? '}' : ']')) return true;
      objects_[depth_++] = is_object;
      if (is_object && !member_name()) return false;
    }
  }

  /// After a value: ends what ends here, up to a comma (and the next member's name) or the end of the text.
  bool close_containers() {
    skip_space();
    while (depth_ > 0) {
      const bool is_object = objects_[depth_ - 1];
      if (take(',')) return !is_object || member_name();
      if (!take(is_object ? '}' : ']')) return false;
      --depth_;
      skip_space();
    }
    return true;
  }

  bool member_name() {
    skip_space();
    if (!string()) return false;
    skip_space();
    return take(':');
  }

  bool scalar() {
    switch (peek()) {
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }

  bool string() {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\' && !escape()) return false;
    }
    return false;
  }

  bool escape() {
    if (at_ == text_.size()) return false;
    const char c = text_[at_++];
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char digit = peek();
      const bool is_hex =
          (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f') || (digit >= 'A' && digit <= 'F');
      if (!is_hex) return false;
    }
    return true;
  }

  bool digits() {
    const std::size_t start = at_;
    while (peek() >= '0' && peek() <= '9')
      ++at_;
    return at_ > start;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      return digits();
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_max_;
  std::size_t depth_ = 0;
  bool too_deep_ = false;
  std::bitset<json_depth_max> objects_;  // for each open container whether it is an object
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_plain(out, text);
  if (is_valid_utf8(text)) {
    append_valid(out, text);
  } else {
    append_repaired(out, text);
  }
  out += '"';
}

JsonVerdict judge_json(std::string_view text, std::size_t depth_max) {
  if (!is_valid_utf8(text)) return JsonVerdict::broken;
  return JsonChecker(text, depth_max).judge();
}

}  // namespace roomcast::base
