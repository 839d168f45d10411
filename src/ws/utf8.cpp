#include "ws/utf8.h"

#include <algorithm>
#include <cstddef>

#include "base/text.h"

namespace roomcast::ws {

namespace {

bool is_lead(char byte) { return static_cast<unsigned char>(byte) >= 0xC0; }

/// The number of bytes at the end that may be an incomplete character: from a lead byte among the last three.
std::size_t open_bytes(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    if (is_lead(text[text.size() - back])) return back;
  }
  return 0;
}

}  // namespace

bool Utf8Validator::feed(std::string_view bytes) {
  while (missing_ > 0 && !bytes.empty()) {
    if (!feed_byte(static_cast<unsigned char>(bytes.front()))) return false;
    bytes.remove_prefix(1);
  }
  // The text between the two possibly incomplete ends is validated as a whole, which is much faster.
  const auto whole = bytes.substr(0, bytes.size() - open_bytes(bytes));
  if (!base::is_valid_utf8(whole)) return false;
  bytes.remove_prefix(whole.size());
  return std::all_of(bytes.begin(), bytes.end(),
                     [this](char byte) { return feed_byte(static_cast<unsigned char>(byte)); });
}

// The table of RFC 3629 section 4: a lead byte determines the number of bytes that follow, and the range of
// the first of them.
bool Utf8Validator::feed_byte(unsigned char byte) {
  if (missing_ > 0) {
    if (byte < lowest_ || byte > highest_) return false;
    --missing_;
    lowest_ = 0x80;
    highest_ = 0xBF;
    return true;
  }
  if (byte < 0x80) return true;
  if (byte < 0xC2 || byte > 0xF4) return false;
  if (byte < 0xE0) {
    missing_ = 1;
  } else if (byte < 0xF0) {
    missing_ = 2;
    if (byte == 0xE0) lowest_ = 0xA0;   // below: overlong
    if (byte == 0xED) highest_ = 0x9F;  // above: surrogates
  } else {
    missing_ = 3;
    if (byte == 0xF0) lowest_ = 0x90;   // below: overlong
    if (byte == 0xF4) highest_ = 0x8F;  // above: past U+10FFFF
  }
  return true;
}

}  // namespace roomcast::ws
