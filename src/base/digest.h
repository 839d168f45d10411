#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace roomcast::base {

/// SHA-1, only for the WebSocket handshake (RFC 6455 section 4.2.2). One computes many digests: to look the
/// algorithm up and to allocate what it is computed in take longer than digesting a few bytes.
class Sha1 {
 public:
  Sha1();
  Sha1(const Sha1&) = delete;
  Sha1& operator=(const Sha1&) = delete;
  ~Sha1();

  /// Of `parts`, one behind the other.
  [[nodiscard]] std::array<unsigned char, 20> digest(std::initializer_list<std::string_view> parts);

 private:
  evp_md_ctx_st* context_;
};

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
