#include "ws/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace roomcast::ws {

namespace {

/// How many bytes from the front are ASCII, counted in whole words.
std::size_t ascii_words(std::string_view bytes) {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  std::size_t at = 0;
  while (bytes.size() - at >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    if ((word & high_bits) != 0) break;
    at += sizeof(word);
  }
  return at;
}

}  // namespace

bool Utf8Validator::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (missing_ == 0) {
      bytes.remove_prefix(ascii_words(bytes));
      if (bytes.empty()) break;
    }
    if (!feed_byte(static_cast<unsigned char>(bytes.front()))) return false;
    bytes.remove_prefix(1);
  }
  return true;
}

// The table of RFC 3629 section 4: a lead byte fixes how many bytes follow and the range of the first of
// them.
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
