#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace roomcast::base {

/// SHA-1 of `parts`, one behind the other; only for the WebSocket handshake (RFC 6455 section 4.2.2).
[[nodiscard]] std::array<unsigned char, 20> sha1(std::initializer_list<std::string_view> parts);
/// SHA-256 of `bytes`.
[[nodiscard]] std::array<unsigned char, 32> sha256(std::string_view bytes);
/// The same in lower-case hexadecimal.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);
/// RFC 4648 section 4, with padding.
[[nodiscard]] std::string base64_encode(std::string_view bytes);
/// The same at the end of `out`.
void append_base64(std::string& out, std::string_view bytes);
/// Strict RFC 4648 section 4: false for anything but whole, padded, canonical input.
[[nodiscard]] bool base64_decode(std::string_view text, std::string& out);
/// Unpredictable bits from the operating system's generator (through OpenSSL).
[[nodiscard]] std::uint64_t random_u64();

}  // namespace roomcast::base
