#include "load/http_body.h"

namespace roomcast::bench {

HttpBody::Piece HttpBody::take(std::string_view bytes) {
  switch (length_) {
    case Length::endless:
      return {bytes.size(), bytes};
    case Length::counted:
      return take_content(bytes);
    case Length::chunked:
      return take_chunked(bytes);
  }
  return {};
}

HttpBody::Piece HttpBody::take_content(std::string_view bytes) {
  const std::string_view content = bytes.substr(0, static_cast<std::size_t>(left_));
  left_ -= content.size();
  return {content.size(), content, left_ == 0};
}

HttpBody::Piece HttpBody::take_chunked(std::string_view bytes) {
  std::size_t used = 0;
  for (; used < bytes.size() && next_ != Next::content; ++used) {
    const bool at_end = next_ == Next::last_end_lf;
    if (!step(bytes[used])) return {used, {}, false, true};
    if (at_end) return {used + 1, {}, true};
  }
  if (used == bytes.size()) return {used, {}};
  Piece piece = take_content(bytes.substr(used));
  if (piece.over) next_ = Next::content_end;
  return {used + piece.used, piece.content};
}

/// One byte of what stands between the contents of two chunks; false when it can't be there.
bool HttpBody::step(char byte) {
  switch (next_) {
    case Next::size:
      return take_digit(byte);
    case Next::extension:
      if (byte == '\r') next_ = Next::size_end;
      return byte != '\n';
    case Next::size_end: {
      has_digit_ = false;
      // Trailers are not looked for: none of the servers under measurement sends any.
      return expect(byte, '\n', left_ > 0 ? Next::content : Next::last_end);
    }
    case Next::content_end:
      return expect(byte, '\r', Next::content_end_lf);
    case Next::content_end_lf:
      return expect(byte, '\n', Next::size);
    case Next::last_end:
      return expect(byte, '\r', Next::last_end_lf);
    case Next::last_end_lf:
      return expect(byte, '\n', Next::size);
    case Next::content:
      break;
  }
  return false;
}

bool HttpBody::expect(char byte, char expected, Next next) {
  next_ = next;
  return byte == expected;
}

bool HttpBody::take_digit(char byte) {
  constexpr std::uint64_t most = UINT32_MAX;
  const char lower = static_cast<char>(byte | 0x20);
  if (byte >= '0' && byte <= '9') {
    left_ = left_ * 16 + static_cast<std::uint64_t>(byte - '0');
  } else if (lower >= 'a' && lower <= 'f') {
    left_ = left_ * 16 + static_cast<std::uint64_t>(lower - 'a' + 10);
  } else {
    next_ = byte == '\r' ? Next::size_end : Next::extension;
    return has_digit_ && (byte == '\r' || byte == ';' || byte == ' ');
  }
  has_digit_ = true;
  return left_ <= most;
}

}  // namespace roomcast::bench
