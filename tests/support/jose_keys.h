#pragma once

#include <array>
#include <string>

#include "jose/algorithm.h"
#include "support/jose_signer.h"

namespace roomcast::test {

/// A secret of 64 bytes, which suffices for every HMAC.
inline const std::string jose_secret = "a secret of sixty-four bytes that is known to the tests and none";

/// One signer for each type of key. Made once, since an RSA key takes a tenth of a second.
inline const JoseSigner& signer_of(jose::KeyType type) {
  static const JoseSigner secret(jose_secret);
  static const JoseSigner rsa = JoseSigner::rsa();
  static const JoseSigner p256 = JoseSigner::ec("P-256");
  static const JoseSigner p384 = JoseSigner::ec("P-384");
  static const JoseSigner ed25519 = JoseSigner::named("ED25519");
  switch (type) {
    case jose::KeyType::secret:
      return secret;
    case jose::KeyType::rsa:
      return rsa;
    case jose::KeyType::p256:
      return p256;
    case jose::KeyType::p384:
      return p384;
    case jose::KeyType::ed25519:
      break;
  }
  return ed25519;
}
inline const JoseSigner& signer_of(jose::Algorithm algorithm) { return signer_of(describe(algorithm).key); }

/// All algorithms, in their order.
inline constexpr std::array<jose::Algorithm, static_cast<std::size_t>(jose::Algorithm::count_)>
    all_algorithms{jose::Algorithm::hs256, jose::Algorithm::hs384, jose::Algorithm::hs512,
                   jose::Algorithm::rs256, jose::Algorithm::rs384, jose::Algorithm::rs512,
                   jose::Algorithm::ps256, jose::Algorithm::es256, jose::Algorithm::es384,
                   jose::Algorithm::eddsa};

/// The set of all algorithms.
inline jose::AlgorithmSet every_algorithm() {
  jose::AlgorithmSet set;
  for (const jose::Algorithm algorithm : all_algorithms)
    set.add(algorithm);
  return set;
}

}  // namespace roomcast::test
