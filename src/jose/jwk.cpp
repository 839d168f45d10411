#include "jose/jwk.h"

#include <openssl/crypto.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/digest.h"
#include "jose/strict_json.h"
#include "jose/token.h"

namespace roomcast::jose {
namespace {

using base::Error;
using base::JsonKind;
using base::JsonValue;

/// Overwrites what could be a secret.
void clear(std::string& text) { OPENSSL_cleanse(text.data(), text.size()); }

/// The text of the member `name`; nothing if there is none, or if it is no text.
std::optional<std::string> text_member(const JsonValue& jwk, std::string_view name) {
  const auto value = find_member(jwk, name);
  return value ? text_of(*value) : std::nullopt;
}

/// The bytes of the member `name`, which is base64url; nothing if there is none, or if it is malformed.
std::optional<std::string> bytes_member(const JsonValue& jwk, std::string_view name) {
  auto text = text_member(jwk, name);
  std::string bytes;
  if (!text || !base::base64url_decode(*text, bytes)) return std::nullopt;
  clear(*text);
  return bytes;
}

/// RFC 7517 sections 4.2 and 4.3.
std::optional<Error> check_purpose(const JsonValue& jwk) {
  if (const auto use = find_member(jwk, "use"); use && !use->equals("sig"))
    return Error{"it is not for signatures (use)"};
  const auto operations = find_member(jwk, "key_ops");
  if (!operations) return std::nullopt;
  base::JsonElements elements(*operations);
  while (const auto operation = elements.next()) {
    if (operation->equals("verify")) return std::nullopt;
  }
  return Error{"it is not for verifying (key_ops)"};
}

/// The algorithms that the member `alg` (RFC 7517 section 4.4) permits: all where there is none.
AlgorithmSet permitted(const JsonValue& jwk, AlgorithmSet allowed) {
  const auto alg = find_member(jwk, "alg");
  if (!alg) return allowed;
  const auto name = text_of(*alg);
  const auto algorithm = name ? algorithm_from(*name) : std::nullopt;
  return algorithm ? allowed & AlgorithmSet{*algorithm} : AlgorithmSet{};
}

std::optional<KeyType> type_of(const JsonValue& jwk) {
  const auto type = find_member(jwk, "kty");
  const auto curve = find_member(jwk, "crv");
  if (!type) return std::nullopt;
  if (type->equals("oct")) return KeyType::secret;
  if (type->equals("RSA")) return KeyType::rsa;
  if (!curve) return std::nullopt;
  if (type->equals("EC") && curve->equals("P-256")) return KeyType::p256;
  if (type->equals("EC") && curve->equals("P-384")) return KeyType::p384;
  if (type->equals("OKP") && curve->equals("Ed25519")) return KeyType::ed25519;
  return std::nullopt;
}

base::Result<Key> read_secret(const JsonValue& jwk, AlgorithmSet algorithms, JwksOrigin origin) {
  if (origin == JwksOrigin::url) return Error{"it is a secret (kty oct), which no URL may give away"};
  auto secret = bytes_member(jwk, "k");
  if (!secret) return Error{"it has no k in base64url"};
  // Without `alg` the secret is for all that it is long enough for.
  if (!find_member(jwk, "alg")) {
    for (const Algorithm algorithm : {Algorithm::hs384, Algorithm::hs512}) {
      if (secret->size() < describe(algorithm).hash_bytes) algorithms = algorithms - AlgorithmSet{algorithm};
    }
    if (algorithms.empty()) return Error{"it is too short a secret for the algorithms that are allowed"};
  }
  auto key = Key::from_secret(*secret, algorithms);
  clear(*secret);
  return key;
}

base::Result<PublicKey> read_public(const JsonValue& jwk, KeyType type) {
  if (type == KeyType::rsa) {
    const auto modulus = bytes_member(jwk, "n");
    const auto exponent = bytes_member(jwk, "e");
    if (!modulus || !exponent) return Error{"it has no n and e in base64url"};
    return PublicKey::from_rsa(*modulus, *exponent);
  }
  const auto x = bytes_member(jwk, "x");
  if (!x) return Error{"it has no x in base64url"};
  if (type == KeyType::ed25519) return PublicKey::from_ed25519(*x);
  const auto y = bytes_member(jwk, "y");
  if (!y) return Error{"it has no y in base64url"};
  return PublicKey::from_point(type, *x, *y);
}

base::Result<Key> read_key(const JsonValue& jwk, AlgorithmSet allowed, JwksOrigin origin) {
  const auto type = type_of(jwk);
  if (!type) return Error{"it is of a type (kty, crv) that is not supported"};
  if (auto error = check_purpose(jwk)) return std::move(*error);
  // RFC 7518 sections 6.2.2 and 6.3.2: the private part of every asymmetric key.
  if (find_member(jwk, "d")) return Error{"it is a private key, which only the issuer of tokens should have"};
  const AlgorithmSet algorithms = permitted(jwk, allowed) & AlgorithmSet::of(*type);
  if (algorithms.empty()) return Error{"it is for no algorithm that is allowed (" + to_string(allowed) + ")"};
  if (*type == KeyType::secret) return read_secret(jwk, algorithms, origin);
  auto key = read_public(jwk, *type);
  if (!key) return std::move(key.error());
  return Key::from_public_key(std::move(*key), algorithms);
}

}  // namespace

base::Result<Key> read_jwk(const JsonValue& jwk, AlgorithmSet allowed, JwksOrigin origin) {
  if (!jwk.is(JsonKind::object)) return Error{"it is not an object"};
  auto key = read_key(jwk, allowed, origin);
  if (!key) return key;
  if (const auto kid = find_member(jwk, "kid")) {
    auto text = text_of(*kid);
    if (!text || text->size() > kid_bytes_max)
      return Error{"it has a kid that is not a text of at most " + std::to_string(kid_bytes_max) + " bytes"};
    key->set_kid(std::move(*text));
  }
  return key;
}

}  // namespace roomcast::jose
