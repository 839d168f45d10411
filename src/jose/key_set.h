#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jose/algorithm.h"
#include "jose/key.h"

namespace roomcast::jose {

/// The largest JWK Set in bytes, and the most keys in one.
inline constexpr std::size_t jwks_bytes_max = 262144;
inline constexpr std::size_t jwks_keys_max = 100;

/// Where a JWK Set comes from. One that is fetched holds public keys only: a secret that a URL gives away is
/// none.
enum class JwksOrigin : std::uint8_t { file, url };

/// The keys of one source.
class KeySet {
 public:
  KeySet() = default;
  explicit KeySet(Key key) { keys_.push_back(std::move(key)); }

  /// Reads a JWK Set (RFC 7517 section 5). A key that cannot be used is skipped: one of an unknown type,
  /// meant for something else (`use`, `key_ops`), for no algorithm of `allowed`, too weak, malformed or
  /// private. Errors if none is left, or if the text is no JWK Set.
  [[nodiscard]] static base::Result<KeySet> from_jwks(std::string_view json, AlgorithmSet allowed,
                                                      JwksOrigin origin);

  [[nodiscard]] const std::vector<Key>& keys() const { return keys_; }
  [[nodiscard]] bool empty() const { return keys_.empty(); }
  /// Why keys were skipped, a sentence for each, without anything secret.
  [[nodiscard]] const std::vector<std::string>& skipped() const { return skipped_; }

 private:
  std::vector<Key> keys_;
  std::vector<std::string> skipped_;
};

}  // namespace roomcast::jose
