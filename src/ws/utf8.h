#pragma once

#include <cstdint>
#include <string_view>

namespace roomcast::ws {

/// Judges UTF-8 (RFC 3629) that arrives in pieces, cut anywhere, and says no at the first byte that rules out
/// every continuation: the second byte of an overlong form or a surrogate already.
class Utf8Validator {
 public:
  /// Takes the next bytes. Once it has said false it may only be assigned anew.
  [[nodiscard]] bool feed(std::string_view bytes);
  /// Whether the text so far ends with a whole character.
  [[nodiscard]] bool is_complete() const { return missing_ == 0; }

 private:
  bool feed_byte(unsigned char byte);

  std::uint8_t missing_ = 0;    // continuation bytes that the last character still lacks
  std::uint8_t lowest_ = 0x80;  // what the next of them must at least be
  std::uint8_t highest_ = 0xBF;
};

}  // namespace roomcast::ws
