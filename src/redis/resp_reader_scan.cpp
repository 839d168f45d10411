// Finding the end of a value, and what it consists of.
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "redis/resp_reader.h"

namespace roomcast::redis {

namespace {

// Of a line that has a number: more than any has, leading zeros included.
constexpr std::size_t number_line_bytes = 64;
constexpr std::size_t shown_bytes = 40;

/// The first bytes of `text` in quotes, as a log can show them.
std::string shown(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text.substr(0, shown_bytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (byte < 0x20 || byte > 0x7e) {
      out.append({'\\', 'x', hex[byte >> 4U], hex[byte & 15U]});
    } else {
      out += c;
    }
  }
  out += text.size() > shown_bytes ? "\"..." : "\"";
  return out;
}

/// Decimal digits only; nothing for anything else, or a number that is too large.
std::optional<std::size_t> parse_length(std::string_view text) {
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return length;
}

std::string_view without_plus(std::string_view text) {
  const bool is_signed_once = text.size() > 1 && text[0] == '+' && text[1] != '-';
  return is_signed_once ? text.substr(1) : text;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  text = without_plus(text);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_double(std::string_view text) {
  text = without_plus(text);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // One that is out of range is still a number; nobody here calculates with it.
  return error != std::errc::invalid_argument && end == text.data() + text.size();
}

bool is_big_number(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_kind(char c) { return std::string_view("+-:$*_#,(!=%~|>").find(c) != std::string_view::npos; }
/// Whether a line of that kind can be as long as a value.
bool has_long_line(char kind) { return kind == '+' || kind == '-' || kind == '('; }

}  // namespace

/// Whether a value is all there; if not, more bytes are needed, or reading has ended.
bool RespReader::scan() {
  for (;;) {
    const Step step = body_end_ > 0 ? scan_body() : scan_line();
    if (step != Step::more) return step == Step::complete;
  }
}

RespReader::Step RespReader::scan_body() {
  const std::string_view bytes = unread();
  if (bytes.size() < body_end_) return Step::need_more;
  if (bytes[body_end_ - 2] != '\r' || bytes[body_end_ - 1] != '\n') {
    return fail("not RESP: a string does not end where its length says, but goes on with " +
                shown(bytes.substr(body_end_ - 2)));
  }
  std::string_view text = bytes.substr(body_begin_, body_end_ - 2 - body_begin_);
  at_ = std::exchange(body_end_, 0);
  searched_ = at_;
  if (body_kind_ == '=') {
    constexpr std::size_t format_bytes = 4;  // "txt:"
    if (text.size() < format_bytes || text[format_bytes - 1] != ':') {
      return fail("not RESP: a verbatim string without its format: " + shown(text));
    }
    text.remove_prefix(format_bytes);
  }
  return add_token(body_kind_ == '!' ? Value::Type::error : Value::Type::text, text);
}

RespReader::Step RespReader::scan_line() {
  const std::string_view bytes = unread();
  if (at_ >= bytes.size()) return Step::need_more;
  const char kind = bytes[at_];
  if (!is_kind(kind)) {
    if (kind == '.' || kind == ';') return refuse("part of a streamed value, which is not read here");
    return refuse("no type that is known");
  }
  if (searched_ <= at_) searched_ = at_ + 1;
  const std::size_t end = bytes.find('\r', searched_);
  const bool is_found = end != std::string_view::npos;
  if (!has_long_line(kind) && (is_found ? end : bytes.size()) - at_ > number_line_bytes) {
    return refuse("a number that does not end");
  }
  if ((is_found ? end + 2 : bytes.size()) > limits_.value_bytes) return fail_too_large();
  if (!is_found || end + 1 == bytes.size()) {
    searched_ = is_found ? end : bytes.size();
    return Step::need_more;
  }
  if (bytes[end + 1] != '\n') return refuse("a line with a carriage return in it");
  const Step step = take_line(kind, bytes.substr(at_ + 1, end - at_ - 1));
  at_ = end + 2;
  searched_ = at_;
  return step;
}

/// `text` is what the line has behind its type.
RespReader::Step RespReader::take_line(char kind, std::string_view text) {
  switch (kind) {
    case '+':
    case '-':
      if (text.find('\n') != std::string_view::npos) return refuse("a line with a line feed in it");
      return add_token(kind == '-' ? Value::Type::error : Value::Type::text, text);
    case ':': {
      const auto number = parse_integer(text);
      return number ? add_token(Value::Type::integer, {}, *number) : refuse("no integer of 64 bits");
    }
    case ',':
      return is_double(text) ? add_token(Value::Type::number, text) : refuse("no number");
    case '(':
      return is_big_number(text) ? add_token(Value::Type::text, text) : refuse("no big number");
    case '#':
      if (text != "t" && text != "f") return refuse("neither true nor false");
      return add_token(Value::Type::boolean, {}, text == "t" ? 1 : 0);
    case '_':
      return text.empty() ? add_token(Value::Type::null, {}) : refuse("a null with something in it");
    case '$':
    case '!':
    case '=':
      return begin_body(kind, text);
    default:
      return begin_aggregate(kind, text);
  }
}

RespReader::Step RespReader::begin_body(char kind, std::string_view length) {
  if (kind == '$' && length == "-1") return add_token(Value::Type::null, {});
  if (length == "?") return refuse("a streamed string, which is not read here");
  const auto bytes = parse_length(length);
  if (!bytes) return refuse("no length");
  const std::size_t line_end = at_ + 1 + length.size() + 2;
  // The line itself is within the limit.
  if (*bytes > limits_.value_bytes || line_end + *bytes + 2 > limits_.value_bytes) return fail_too_large();
  body_begin_ = line_end;
  body_end_ = line_end + *bytes + 2;
  body_kind_ = kind;
  return Step::more;
}

RespReader::Step RespReader::begin_aggregate(char kind, std::string_view count) {
  if (kind == '*' && count == "-1") return add_token(Value::Type::null, {});
  if (count == "?") return refuse("a streamed aggregate, which is not read here");
  const auto number = parse_length(count);
  if (!number) return refuse("no number of items");
  if (kind == '>' && !open_.empty()) return refuse("a push within a reply");
  if (kind == '>' && *number == 0) return refuse("a push without a kind");
  const bool is_attribute = kind == '|';
  const std::size_t times = kind == '%' || is_attribute ? 2 : 1;
  if (*number > limits_.items / times || items_ + *number * times > limits_.items) {
    return fail("a reply has more than " + std::to_string(limits_.items) + " values in it");
  }
  if (open_.size() >= limits_.depth) {
    return fail("a reply is nested deeper than " + std::to_string(limits_.depth) + " levels");
  }
  const std::size_t items = *number * times;
  items_ += items;
  if (!is_attribute && open_attributes_ == 0) {
    Value::Type type = Value::Type::array;
    if (kind == '~') type = Value::Type::set;
    if (kind == '%') type = Value::Type::map;
    if (kind == '>') type = Value::Type::push;
    tokens_.push_back({.type = type, .integer = 0, .begin = 0, .size = items});
  }
  if (items == 0) return is_attribute ? Step::more : close_item();
  if (is_attribute) ++open_attributes_;
  open_.push_back({.items_left = items, .is_attribute = is_attribute});
  return Step::more;
}

RespReader::Step RespReader::add_token(Value::Type type, std::string_view text, std::int64_t integer) {
  if (open_attributes_ == 0) {
    const std::size_t begin = text.empty() ? 0 : static_cast<std::size_t>(text.data() - unread().data());
    tokens_.push_back({.type = type, .integer = integer, .begin = begin, .size = text.size()});
  }
  return close_item();
}

/// A value is complete, and so may be those that it is the last item of.
RespReader::Step RespReader::close_item() {
  while (!open_.empty()) {
    if (--open_.back().items_left > 0) return Step::more;
    const bool is_attribute = open_.back().is_attribute;
    open_.pop_back();
    if (is_attribute) {
      // What it is an attribute of follows.
      --open_attributes_;
      return Step::more;
    }
  }
  return Step::complete;
}

RespReader::Step RespReader::fail(std::string why) {
  error_ = std::move(why);
  return Step::need_more;
}

RespReader::Step RespReader::refuse(std::string_view what) {
  return fail("not RESP: " + std::string(what) + ": " + shown(unread().substr(at_)));
}

RespReader::Step RespReader::fail_too_large() {
  return fail("a reply is larger than " + std::to_string(limits_.value_bytes) + " bytes");
}

}  // namespace roomcast::redis
