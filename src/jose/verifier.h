#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "jose/algorithm.h"
#include "jose/public_key.h"

namespace roomcast::jose {

/// Verifies signatures with one key and the algorithms that it is bound to. OpenSSL's contexts are made once
/// for each algorithm and used again, since making one takes as long as an HMAC of a token.
class Verifier {
 public:
  virtual ~Verifier() = default;
  /// Whether `signature` is that of `input`. False for an algorithm that this key is not bound to.
  [[nodiscard]] virtual bool verify(Algorithm algorithm, std::string_view input,
                                    std::string_view signature) = 0;
};

/// HMAC (RFC 7518 section 3.2). `secret` is as long as each of `algorithms`, which are those of
/// KeyType::secret, requires.
[[nodiscard]] base::Result<std::unique_ptr<Verifier>> make_verifier(std::string_view secret,
                                                                    AlgorithmSet algorithms);
/// `algorithms` are some of those of the key's type.
[[nodiscard]] base::Result<std::unique_ptr<Verifier>> make_verifier(PublicKey key, AlgorithmSet algorithms);

}  // namespace roomcast::jose
