#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "jose/algorithm.h"
#include "jose/public_key.h"

namespace roomcast::jose {

class Verifier;

/// A key that signatures are verified with: a secret or a public key, bound to the algorithms it may be used
/// with. Which these can be follows from what the key is, so that a public key never verifies an HMAC
/// (RFC 8725 section 2.1), whatever a token or a configuration says.
class Key {
 public:
  /// Errors if `algorithms` is empty or has others than HS256, HS384 and HS512, or if the secret is shorter
  /// than the hash of one of them (RFC 7518 section 3.2). The secret itself is not kept.
  [[nodiscard]] static base::Result<Key> from_secret(std::string_view secret, AlgorithmSet algorithms);
  /// Errors if `algorithms` is empty or has one that a key of this type cannot be used with.
  [[nodiscard]] static base::Result<Key> from_pem(std::string_view pem, AlgorithmSet algorithms);
  [[nodiscard]] static base::Result<Key> from_public_key(PublicKey key, AlgorithmSet algorithms);

  Key(Key&&) noexcept;
  Key& operator=(Key&&) noexcept;
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key();

  [[nodiscard]] AlgorithmSet algorithms() const { return algorithms_; }
  /// The name that tokens know the key by (`kid`). A key without one is tried for every token.
  [[nodiscard]] const std::optional<std::string>& kid() const { return kid_; }
  void set_kid(std::string kid) { kid_ = std::move(kid); }

  /// Whether `signature` is that of `input` by `algorithm`; false if the key is not bound to the algorithm.
  [[nodiscard]] bool verify(Algorithm algorithm, std::string_view input, std::string_view signature) const;

 private:
  Key(std::unique_ptr<Verifier> verifier, AlgorithmSet algorithms);

  std::unique_ptr<Verifier> verifier_;
  AlgorithmSet algorithms_;
  std::optional<std::string> kid_;
};

}  // namespace roomcast::jose
