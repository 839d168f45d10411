#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

struct SHAstate_st;

namespace roomcast::base {

/// SHA-1, only for the WebSocket handshake (RFC 6455 section 4.2.2). By OpenSSL's low-level interface: of the
/// other (EVP), setting up and cleaning up take as long as digesting the 60 bytes of a handshake. One object
/// computes any number of digests.
class Sha1 {
 public:
  Sha1();
  Sha1(const Sha1&) = delete;
  Sha1& operator=(const Sha1&) = delete;
  ~Sha1();

  /// The digest of all `parts`, concatenated.
  [[nodiscard]] std::array<unsigned char, 20> digest(std::initializer_list<std::string_view> parts);

 private:
  std::unique_ptr<SHAstate_st> state_;
};

/// SHA-256 of `bytes`.
[[nodiscard]] std::array<unsigned char, 32> sha256(std::string_view bytes);
/// SHA-256 of `bytes` in lower-case hexadecimal.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);
/// Whether both are equal, in a time that depends on their sizes alone.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);
/// Base64 (RFC 4648 section 4) with padding.
[[nodiscard]] std::string base64_encode(std::string_view bytes);
/// Appends `bytes` in base64 to `out`.
void append_base64(std::string& out, std::string_view bytes);
/// Decodes base64 (RFC 4648 section 4) strictly: false unless the input is complete, padded and canonical.
[[nodiscard]] bool base64_decode(std::string_view text, std::string& out);
/// Appends `bytes` to `out` in base64url without padding (RFC 4648 section 5), as JOSE writes it.
void append_base64url(std::string& out, std::string_view bytes);
/// Decodes base64url without padding strictly: false if anything else stands in it, also white space, or if
/// it is not canonical.
[[nodiscard]] bool base64url_decode(std::string_view text, std::string& out);
/// Unpredictable bits from the operating system (through OpenSSL).
[[nodiscard]] std::uint64_t random_u64();

}  // namespace roomcast::base
