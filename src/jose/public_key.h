#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "jose/algorithm.h"

struct evp_pkey_st;

namespace roomcast::jose {

/// The largest text in which a PEM is looked for, in bytes.
inline constexpr std::size_t pem_bytes_max = 65536;
/// The sizes of RSA keys in bits: RFC 7518 section 3.3 requires 2048, and the time of a verification grows
/// with the square.
inline constexpr int rsa_bits_min = 2048;
inline constexpr int rsa_bits_max = 8192;

/// The public key of one of the supported types, in OpenSSL's form. It has been checked: an RSA key has a
/// size and an exponent that are safe and quick to verify with, a point is on its curve.
class PublicKey {
 public:
  /// Reads one PEM block (RFC 7468): PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE, of which only the key is
  /// used.
  [[nodiscard]] static base::Result<PublicKey> from_pem(std::string_view pem);
  /// Of the big-endian integers of RFC 7518 section 6.3.1.
  [[nodiscard]] static base::Result<PublicKey> from_rsa(std::string_view modulus, std::string_view exponent);
  /// Of the coordinates of RFC 7518 section 6.2.1, each as long as the curve's field. `curve` is p256 or
  /// p384.
  [[nodiscard]] static base::Result<PublicKey> from_point(KeyType curve, std::string_view x,
                                                          std::string_view y);
  /// Of the 32 bytes of RFC 8037 section 2.
  [[nodiscard]] static base::Result<PublicKey> from_ed25519(std::string_view x);

  PublicKey(PublicKey&&) noexcept = default;
  PublicKey& operator=(PublicKey&&) noexcept = default;
  PublicKey(const PublicKey&) = delete;
  PublicKey& operator=(const PublicKey&) = delete;
  ~PublicKey() = default;

  [[nodiscard]] KeyType type() const { return type_; }
  [[nodiscard]] evp_pkey_st* get() const { return key_.get(); }

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  using Owner = std::unique_ptr<evp_pkey_st, Free>;
  PublicKey(Owner key, KeyType type) : key_(std::move(key)), type_(type) {}
  static base::Result<PublicKey> checked(Owner key);

  Owner key_;
  KeyType type_;
};

/// "an RSA key" and the like, for messages.
[[nodiscard]] std::string_view name_of(KeyType type);

}  // namespace roomcast::jose
