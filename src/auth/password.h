#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace roomcast::auth {

/// The parameters of scrypt (RFC 7914 section 2).
struct ScryptCost {
  unsigned log2_n = 15;
  unsigned r = 8;
  unsigned p = 1;

  /// What computing one hash takes: 32 MiB by default.
  [[nodiscard]] std::uint64_t memory_bytes() const { return (std::uint64_t{128} << log2_n) * r; }
  friend bool operator==(const ScryptCost&, const ScryptCost&) = default;
};

/// The hash of a password with its salt and parameters, written as in the Password Hashing Competition's
/// string format: "$scrypt$ln=15,r=8,p=1$SALT$HASH", both in base64 without padding.
class PasswordHash {
 public:
  /// Accepts salts of 8 to 64 and hashes of 16 to 64 bytes, and parameters that take at most
  /// `memory_bytes_max` and are no more work than 16 times the default.
  static base::Result<PasswordHash> parse(std::string_view text);
  /// The hash of `password` with a random salt. Takes as long as `matches`.
  static PasswordHash of(std::string_view password, ScryptCost cost = {});

  /// Whether this is the hash of `password`. Takes about 0.1 s and cost().memory_bytes() by default: not for
  /// the event loop's thread.
  [[nodiscard]] bool matches(std::string_view password) const;
  [[nodiscard]] const ScryptCost& cost() const { return cost_; }
  [[nodiscard]] std::string text() const;
  /// Some bytes that change with the password and say nothing about it: digest of the hash and its salt.
  [[nodiscard]] std::string fingerprint() const;

  static constexpr std::uint64_t memory_bytes_max = std::uint64_t{64} << 20U;
  static constexpr std::size_t password_bytes_min = 8;
  static constexpr std::size_t password_bytes_max = 1'024;

 private:
  ScryptCost cost_;
  std::string salt_;
  std::string hash_;
};

}  // namespace roomcast::auth
