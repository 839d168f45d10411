#pragma once

#include <cstdint>
#include <string_view>

namespace roomcast::ws {

/// Validates UTF-8 (RFC 3629) in arbitrary pieces, and fails at the first byte that cannot be part of a valid
/// text: already at the second byte of an overlong form or a surrogate.
class Utf8Validator {
 public:
  /// Validates the next bytes. After false the validator may only be assigned to.
  [[nodiscard]] bool feed(std::string_view bytes);
  /// Whether the text so far ends with a complete character.
  [[nodiscard]] bool is_complete() const { return missing_ == 0; }

 private:
  bool feed_byte(unsigned char byte);

  std::uint8_t missing_ = 0;    // missing continuation bytes of the last character
  std::uint8_t lowest_ = 0x80;  // smallest valid value of the next one
  std::uint8_t highest_ = 0xBF;
};

}  // namespace roomcast::ws
