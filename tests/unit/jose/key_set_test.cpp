#include "jose/key_set.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "support/jose_keys.h"

namespace key_set_test {

using namespace roomcast;
using namespace roomcast::jose;
using test::signer_of;

namespace {

std::string set_of(std::string_view keys) { return R"({"keys":[)" + std::string(keys) + "]}"; }

base::Result<KeySet> read(std::string_view keys, AlgorithmSet allowed = test::every_algorithm(),
                          JwksOrigin origin = JwksOrigin::file) {
  return KeySet::from_jwks(set_of(keys), allowed, origin);
}

/// Why the only key of a set is not used; empty if it is.
std::string skipped(std::string_view key, AlgorithmSet allowed = test::every_algorithm(),
                    JwksOrigin origin = JwksOrigin::file) {
  const auto keys = read(key, allowed, origin);
  if (keys.ok()) return "";
  constexpr std::string_view before = "the JWK Set has no key that can be used: key 1";
  const std::string& message = keys.error().message;
  REQUIRE(message.starts_with(before));
  return message.substr(message.find(" is skipped: ") + 13);
}

std::string error_of(const base::Result<KeySet>& keys) { return keys.ok() ? "" : keys.error().message; }

const std::string rsa_jwk = signer_of(KeyType::rsa).jwk();

}  // namespace

TEST_CASE("key set: a JWK of each type verifies what it should") {
  for (const Algorithm algorithm : test::all_algorithms) {
    CAPTURE(to_string(algorithm));
    const auto keys =
        read(signer_of(algorithm).jwk(R"(,"kid":"one","use":"sig","key_ops":["sign","verify"],"x5t":"?")"));
    REQUIRE_MESSAGE(keys.ok(), error_of(keys));
    REQUIRE(keys->keys().size() == 1);
    const Key& key = keys->keys()[0];
    CHECK(key.kid() == "one");
    CHECK(key.algorithms() == AlgorithmSet::of(describe(algorithm).key));
    CHECK(key.verify(algorithm, "input", signer_of(algorithm).sign(algorithm, "input")));
    CHECK(keys->skipped().empty());
  }
}

TEST_CASE("key set: what cannot be used is skipped, with the reason") {
  const std::string p256 = signer_of(KeyType::p256).jwk();
  const auto with = [](std::string_view members) { return signer_of(KeyType::rsa).jwk(members); };
  CHECK(skipped(with(R"(,"use":"enc")")) == "it is not for signatures (use)");
  CHECK(skipped(with(R"(,"use":1)")) == "it is not for signatures (use)");
  CHECK(skipped(with(R"(,"key_ops":["sign"])")) == "it is not for verifying (key_ops)");
  CHECK(skipped(with(R"(,"key_ops":[])")) == "it is not for verifying (key_ops)");
  CHECK(skipped(with(R"(,"key_ops":"verify")")) == "it is not for verifying (key_ops)");
  CHECK(skipped(with(R"(,"alg":"PS512")")).starts_with("it is for no algorithm that is allowed"));
  CHECK(skipped(with(R"(,"alg":"HS256")")).starts_with("it is for no algorithm that is allowed"));
  CHECK(skipped(with(R"(,"alg":7)")).starts_with("it is for no algorithm that is allowed"));
  CHECK(skipped(with(R"(,"alg":"RS256")"), {Algorithm::ps256, Algorithm::es256}) ==
        "it is for no algorithm that is allowed (PS256, ES256)");
  CHECK(skipped(p256, {Algorithm::rs256}) == "it is for no algorithm that is allowed (RS256)");
  CHECK(skipped(with(R"(,"d":"AQAB")")) ==
        "it is a private key, which only the issuer of tokens should have");
  CHECK(skipped(R"({"kty":"EC","crv":"P-521","x":"AA","y":"AA"})") ==
        "it is of a type (kty, crv) that is not supported");
  CHECK(skipped(R"({"kty":"EC"})") == "it is of a type (kty, crv) that is not supported");
  CHECK(skipped(R"({"kty":"OKP","crv":"X25519","x":"AA"})") ==
        "it is of a type (kty, crv) that is not supported");
  CHECK(skipped(R"({"kty":"AKP","alg":"ML-DSA-44","pub":"AA"})") ==
        "it is of a type (kty, crv) that is not supported");
  CHECK(skipped(R"({"kty":["RSA"]})") == "it is of a type (kty, crv) that is not supported");
  CHECK(skipped("{}") == "it is of a type (kty, crv) that is not supported");
  CHECK(skipped("7") == "it is not an object");
  CHECK(skipped("null") == "it is not an object");
  CHECK(skipped(R"({"kty":"RSA","n":"AQAB"})") == "it has no n and e in base64url");
  CHECK(skipped(R"({"kty":"RSA","n":"AQAB","e":"A+"})") == "it has no n and e in base64url");
  CHECK(skipped(R"({"kty":"RSA","n":"AQAB","e":65537})") == "it has no n and e in base64url");
  CHECK(skipped(R"({"kty":"EC","crv":"P-256","y":"AA"})") == "it has no x in base64url");
  CHECK(skipped(R"({"kty":"EC","crv":"P-256","x":"AA"})") == "it has no y in base64url");
  CHECK(skipped(R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})") ==
        "each coordinate of the EC key must have 32 bytes");
  CHECK(skipped(R"({"kty":"OKP","crv":"Ed25519","x":"AA"})") == "an Ed25519 key has 32 bytes");
  CHECK(skipped(R"({"kty":"RSA","n":"AQAB","e":"AQAB"})") ==
        "an RSA key must have 2048 to 8192 bits; this one has 17");
  CHECK(skipped(test::JoseSigner::rsa(1024).jwk()) ==
        "an RSA key must have 2048 to 8192 bits; this one has 1024");
}

TEST_CASE("key set: others stay usable beside one that is skipped") {
  const auto keys = read(R"({"kty":"EC","crv":"P-521","kid":"old \" \u0007"},)" + rsa_jwk);
  REQUIRE(keys.ok());
  CHECK(keys->keys().size() == 1);
  REQUIRE(keys->skipped().size() == 1);
  CHECK(keys->skipped()[0] ==
        "key 1 (\"old \\\" \\u0007\") is skipped: it is of a type (kty, crv) that is not supported");
}

TEST_CASE("key set: secrets come from files, never from a URL") {
  const std::string secret = signer_of(KeyType::secret).jwk();
  CHECK(skipped(secret) == "");
  CHECK(skipped(secret, test::every_algorithm(), JwksOrigin::url) ==
        "it is a secret (kty oct), which no URL may give away");
  CHECK(skipped(rsa_jwk, test::every_algorithm(), JwksOrigin::url) == "");
  CHECK(skipped(R"({"kty":"oct"})") == "it has no k in base64url");
}

TEST_CASE("key set: a secret is for the algorithms that it is long enough for") {
  const auto algorithms = [](std::size_t bytes) {
    const auto keys = read(test::JoseSigner(std::string(bytes, 's')).jwk());
    return keys.ok() ? keys->keys()[0].algorithms() : AlgorithmSet{};
  };
  CHECK(algorithms(31) == AlgorithmSet{});
  CHECK(algorithms(32) == AlgorithmSet{Algorithm::hs256});
  CHECK(algorithms(47) == AlgorithmSet{Algorithm::hs256});
  CHECK(algorithms(48) == AlgorithmSet{Algorithm::hs256, Algorithm::hs384});
  CHECK(algorithms(64) == AlgorithmSet{Algorithm::hs256, Algorithm::hs384, Algorithm::hs512});
  const std::string short_secret = test::JoseSigner(std::string(32, 's')).jwk(R"(,"alg":"HS512")");
  CHECK(skipped(short_secret) == "HS512 needs a secret of at least 64 bytes; this one has 32");
  CHECK(skipped(test::JoseSigner(std::string(32, 's')).jwk(), {Algorithm::hs512}) ==
        "it is too short a secret for the algorithms that are allowed");
}

TEST_CASE("key set: two keys with one kid are both there") {
  const auto keys = read(signer_of(KeyType::rsa).jwk(R"(,"kid":"a")") + ',' +
                         signer_of(KeyType::p256).jwk(R"(,"kid":"a")"));
  REQUIRE(keys.ok());
  CHECK(keys->keys().size() == 2);
}

TEST_CASE("key set: a kid has at most 200 bytes and no NUL") {
  const auto with_kid = [](const std::string& kid) {
    return skipped(signer_of(KeyType::rsa).jwk(R"(,"kid":)" + kid));
  };
  const std::string refused = "it has a kid that is not a text of at most 200 bytes";
  CHECK(with_kid('"' + std::string(200, 'k') + '"') == "");
  CHECK(with_kid('"' + std::string(201, 'k') + '"') == refused);
  CHECK(with_kid("7") == refused);
  CHECK(with_kid(R"("a\u0000b")") == refused);
}

TEST_CASE("key set: a text that is no JWK Set is an error") {
  const auto error = [](std::string_view text) {
    return error_of(KeySet::from_jwks(text, test::every_algorithm(), JwksOrigin::file));
  };
  CHECK(error("") == "the JWK Set is not JSON");
  CHECK(error("<html>") == "the JWK Set is not JSON");
  CHECK(error("[]") == "the JWK Set is not a JSON object");
  CHECK(error("{}") == "the JWK Set has no array \"keys\"");
  CHECK(error(R"({"keys":{}})") == "the JWK Set has no array \"keys\"");
  CHECK(error(R"({"keys":[]})") == "the JWK Set has no keys");
  CHECK(error(R"({"keys":[],"keys":[]})") == "the JWK Set has a member twice");
  CHECK(error(set_of(R"({"kty":"RSA","kty":"oct"})")) == "the JWK Set has a member twice");
  CHECK(error(set_of(R"({"kty":"RSA","k\u0074y":"oct"})")) == "the JWK Set has a member twice");
  CHECK(error(set_of(R"({"kid":"\ud800"})")) == "the JWK Set has half of a surrogate pair in a string");
  CHECK(error(set_of("\"\xFF\"")) == "the JWK Set is not UTF-8");
  CHECK(error(set_of(rsa_jwk) + "x") == "the JWK Set is not JSON");
  CHECK(error(std::string(1000, '[')) == "the JWK Set is nested deeper than 32");
  // A single key without the array.
  CHECK(error(rsa_jwk) == "the JWK Set has no array \"keys\"");
}

TEST_CASE("key set: 100 keys and 256 KiB are read, and no more") {
  const auto repeated = [](std::size_t count) {
    std::string keys;
    for (std::size_t i = 0; i < count; ++i)
      keys.append(i > 0 ? "," : "").append(rsa_jwk);
    return error_of(read(keys));
  };
  CHECK(repeated(jwks_keys_max) == "");
  CHECK(repeated(jwks_keys_max + 1) == "the JWK Set has more than 100 keys");
  const std::string set = set_of(rsa_jwk);
  const auto padded = [&](std::size_t bytes) {
    return error_of(
        KeySet::from_jwks(set + std::string(bytes - set.size(), ' '), {Algorithm::rs256}, JwksOrigin::url));
  };
  CHECK(padded(jwks_bytes_max) == "");
  CHECK(padded(jwks_bytes_max + 1) == "the JWK Set has 262145 bytes; 262144 are allowed");
}

}  // namespace key_set_test
