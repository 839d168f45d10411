#include "http/head_scanner.h"

#include <algorithm>
#include <utility>

namespace roomcast::http {

namespace {

/// The elements that a byte may be part of.
enum ByteClass : std::uint8_t {
  token_byte = 1,   // tchar of RFC 9110 section 5.6.2
  target_byte = 2,  // visible ASCII except '#'
  text_byte = 4,    // field-vchar, SP or HTAB of RFC 9110 section 5.5
};

constexpr std::array<std::uint8_t, 256> make_byte_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < classes.size(); ++c) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (alphanumeric) classes.at(c) |= token_byte;
    if (c > ' ' && c < 0x7f && c != '#') classes.at(c) |= target_byte;
    if (c == '\t' || (c >= ' ' && c != 0x7f)) classes.at(c) |= text_byte;
  }
  for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
    classes.at(static_cast<unsigned char>(c)) |= token_byte;
  return classes;
}
constexpr auto byte_classes = make_byte_classes();

constexpr std::string_view connect = "CONNECT";

bool is_a(ByteClass wanted, unsigned char byte) { return (byte_classes.at(byte) & wanted) != 0; }

/// The number of bytes at the front of `bytes`, at most `most`, that belong to a class.
std::size_t count_front(std::string_view bytes, ByteClass wanted, std::size_t most) {
  const std::size_t end = std::min(bytes.size(), most);
  std::size_t count = 0;
  while (count < end && is_a(wanted, static_cast<unsigned char>(bytes[count])))
    ++count;
  return count;
}

/// The length of the field line at the front of `bytes` with its CRLF; 0 if it is incomplete or contains an
/// invalid byte.
std::size_t field_line_bytes(std::string_view bytes) {
  const std::size_t name = count_front(bytes, token_byte, bytes.size());
  if (name == 0 || name == bytes.size() || bytes[name] != ':') return 0;
  const std::size_t value = name + 1;
  const std::size_t end = value + count_front(bytes.substr(value), text_byte, bytes.size());
  return bytes.size() >= end + 2 && bytes[end] == '\r' && bytes[end + 1] == '\n' ? end + 2 : 0;
}

std::size_t left_of(std::size_t limit, std::size_t used) { return limit > used ? limit - used : 0; }

/// The number of bytes at the front that belong to a class, within `limit`; adds them to `used`.
std::size_t pass_word(std::string_view bytes, ByteClass wanted, std::size_t limit, std::size_t& used) {
  const std::size_t passed = count_front(bytes, wanted, left_of(limit, used));
  used += passed;
  return passed;
}

std::string hex_byte(unsigned char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  return {'0', 'x', digits[byte / 16], digits[byte % 16]};
}

}  // namespace

HeadScanner::HeadScanner(const ParserLimits& limits, Part part)
    : limits_(&limits), state_(part == Part::head ? State::start : State::field_start) {}

void HeadScanner::restart() {
  state_ = State::start;
  empty_line_seen_ = false;
  length_ = 0;
  header_bytes_ = 0;
  header_count_ = 0;
}

HeadScanner::Verdict HeadScanner::scan(std::string_view bytes, std::size_t& used) {
  used = 0;
  while (used < bytes.size() && state_ < State::complete) {
    if (state_ == State::start) used += pass_request_line(bytes.substr(used));
    used += pass_run(bytes.substr(used));
    if (used < bytes.size()) step(static_cast<unsigned char>(bytes[used++]));
  }
  if (state_ == State::complete) return Verdict::complete;
  return state_ == State::refused ? Verdict::refused : Verdict::need_more;
}

std::size_t HeadScanner::pass_run(std::string_view bytes) {
  switch (state_) {
    case State::target:
      return pass_word(bytes, target_byte, limits_->uri_bytes, length_);
    case State::field_start:
      return pass_fields(bytes);
    case State::name:
      return pass_word(bytes, token_byte, limits_->header_bytes, header_bytes_);
    case State::value:
      return pass_word(bytes, text_byte, limits_->header_bytes, header_bytes_);
    default:
      return 0;
  }
}

std::size_t HeadScanner::pass_request_line(std::string_view bytes) {
  constexpr std::string_view end = " HTTP/1.1\r\n";
  const std::size_t method = count_front(bytes, token_byte, method_bytes);
  if (method == 0 || !bytes.substr(method).starts_with(' ')) return 0;
  if (bytes.substr(0, method) == connect) return 0;
  const std::string_view target = bytes.substr(method + 1);
  const std::size_t target_bytes = count_front(target, target_byte, limits_->uri_bytes);
  if (target_bytes == 0 || !target.substr(target_bytes).starts_with(end)) return 0;
  state_ = State::field_start;
  return method + 1 + target_bytes + end.size();
}

std::size_t HeadScanner::pass_fields(std::string_view bytes) {
  std::size_t passed = 0;
  while (header_count_ < limits_->header_count) {
    const std::size_t line = field_line_bytes(bytes.substr(passed));
    if (line == 0 || line > left_of(limits_->header_bytes, header_bytes_)) break;
    ++header_count_;
    header_bytes_ += line;
    passed += line;
  }
  return passed;
}

void HeadScanner::step(unsigned char byte) {
  switch (state_) {
    case State::start:
      return start(byte);
    case State::start_lf:
      return line_feed(byte, State::start);
    case State::method:
      return method(byte);
    case State::target:
      return target(byte);
    case State::version:
      return version(byte);
    case State::line_lf:
      return line_feed(byte, State::field_start);
    case State::field_start:
      return field_start(byte);
    case State::name:
      return name(byte);
    case State::value:
      return value(byte);
    case State::end_lf:
      return line_feed(byte, State::complete);
    case State::complete:
    case State::refused:
      return;
  }
}

void HeadScanner::start(unsigned char byte) {
  if (byte == '\r' && !empty_line_seen_) {
    empty_line_seen_ = true;
    state_ = State::start_lf;
    return;
  }
  state_ = State::method;
  method(byte);
}

void HeadScanner::method(unsigned char byte) {
  if (byte == ' ' && length_ > 0) return finish_method();
  if (!is_a(token_byte, byte))
    return refuse(base::bad_request("invalid byte " + hex_byte(byte) + " in the request method"));
  if (length_ == word_.size())
    return refuse({base::Refusal::Code::not_implemented, "no such request method"});
  word_.at(length_++) = static_cast<char>(byte);
}

void HeadScanner::finish_method() {
  if (std::string_view(word_.data(), length_) == connect) {
    return refuse({base::Refusal::Code::not_implemented, "CONNECT is not implemented: this is not a proxy"});
  }
  length_ = 0;
  state_ = State::target;
}

void HeadScanner::target(unsigned char byte) {
  if (byte == ' ' && length_ > 0) {
    length_ = 0;
    state_ = State::version;
    return;
  }
  if (!is_a(target_byte, byte)) {
    return refuse(base::bad_request("invalid byte " + hex_byte(byte) + " in the request target"));
  }
  if (++length_ > limits_->uri_bytes) {
    refuse({base::Refusal::Code::uri_too_long, "the request target is longer than limits.uri_bytes (" +
                                                   std::to_string(limits_->uri_bytes) + ")"});
  }
}

void HeadScanner::version(unsigned char byte) {
  constexpr std::size_t version_bytes = 8;  // HTTP/1.1
  if (byte == '\r') return finish_version();
  if (length_ == version_bytes || byte <= ' ' || byte >= 0x7f) {
    return refuse(base::bad_request("the request line does not end in an HTTP version and CRLF"));
  }
  word_.at(length_++) = static_cast<char>(byte);
}

void HeadScanner::finish_version() {
  const std::string_view version(word_.data(), length_);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7])) {
    return refuse(base::bad_request("the request line does not end in an HTTP version and CRLF"));
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return refuse({base::Refusal::Code::version_not_supported, "this server speaks HTTP/1.0 and HTTP/1.1"});
  }
  state_ = State::line_lf;
}

void HeadScanner::field_start(unsigned char byte) {
  if (byte == '\r') {
    state_ = State::end_lf;
    return;
  }
  if (byte == ' ' || byte == '\t') {
    return refuse(base::bad_request("a header line begins with white space (obsolete line folding)"));
  }
  if (byte == ':') return refuse(base::bad_request("a header field has no name"));
  if (++header_count_ > limits_->header_count) {
    return refuse({base::Refusal::Code::headers_too_large, "more header fields than limits.header_count (" +
                                                               std::to_string(limits_->header_count) + ")"});
  }
  state_ = State::name;
  name(byte);
}

void HeadScanner::name(unsigned char byte) {
  count_header_byte();
  if (state_ == State::refused) return;
  if (byte == ':') {
    state_ = State::value;
  } else if (byte == ' ' || byte == '\t') {
    refuse(base::bad_request("white space before the colon of a header field"));
  } else if (!is_a(token_byte, byte)) {
    refuse(base::bad_request("invalid byte " + hex_byte(byte) + " in a header name"));
  }
}

void HeadScanner::value(unsigned char byte) {
  count_header_byte();
  if (state_ == State::refused) return;
  if (byte == '\r') {
    state_ = State::line_lf;
    count_header_byte();  // the line feed to come
  } else if (!is_a(text_byte, byte)) {
    refuse(base::bad_request("invalid byte " + hex_byte(byte) + " in a header value"));
  }
}

void HeadScanner::line_feed(unsigned char byte, State next) {
  if (byte != '\n') return refuse(base::bad_request("a carriage return without its line feed"));
  state_ = next;
}

void HeadScanner::count_header_byte() {
  if (++header_bytes_ > limits_->header_bytes) {
    refuse(
        {base::Refusal::Code::headers_too_large, "the header fields are longer than limits.header_bytes (" +
                                                     std::to_string(limits_->header_bytes) + ")"});
  }
}

void HeadScanner::refuse(base::Refusal problem) {
  problem_ = std::move(problem);
  state_ = State::refused;
}

}  // namespace roomcast::http
