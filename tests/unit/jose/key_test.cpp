#include "jose/key.h"

#include <doctest/doctest.h>
#include <openssl/rsa.h>

#include <string>
#include <string_view>
#include <utility>

#include "support/jose_keys.h"

namespace key_test {

using namespace roomcast;
using namespace roomcast::jose;
using test::JoseSigner;
using test::signer_of;

namespace {

std::string error_of(const base::Result<Key>& key) { return key.ok() ? "" : key.error().message; }

/// A key that has all the algorithms that are possible for it.
Key key_of(KeyType type) {
  auto key = type == KeyType::secret ? Key::from_secret(test::jose_secret, AlgorithmSet::of(type))
                                     : Key::from_pem(signer_of(type).public_pem(), AlgorithmSet::of(type));
  REQUIRE_MESSAGE(key.ok(), error_of(key));
  return std::move(*key);
}

/// Takes over `key`.
std::string pem_of(EVP_PKEY* key) { return JoseSigner(key).public_pem(); }

EVP_PKEY* rsa_with_exponent(unsigned exponent, std::size_t bits = 2048) {
  EVP_PKEY* key = nullptr;
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  BIGNUM* const e = BN_new();
  BN_set_word(e, exponent);
  JoseSigner::require(EVP_PKEY_keygen_init(context) == 1 &&
                      EVP_PKEY_CTX_set_rsa_keygen_bits(context, static_cast<int>(bits)) == 1 &&
                      EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e) == 1 &&
                      EVP_PKEY_keygen(context, &key) == 1);
  BN_free(e);
  EVP_PKEY_CTX_free(context);
  return key;
}

/// A key on P-256, which is written with the numbers of the curve instead of its name.
EVP_PKEY* ec_by_parameters() {
  EVP_PKEY* key = nullptr;
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  JoseSigner::require(EVP_PKEY_keygen_init(context) == 1 &&
                      EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1 &&
                      EVP_PKEY_CTX_set_ec_param_enc(context, OPENSSL_EC_EXPLICIT_CURVE) == 1 &&
                      EVP_PKEY_keygen(context, &key) == 1);
  EVP_PKEY_CTX_free(context);
  return key;
}

std::string number_bytes(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  JoseSigner::require(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(number);
  return bytes;
}

}  // namespace

TEST_CASE("key: algorithms have the names of RFC 7518, and no other names are known") {
  for (const Algorithm algorithm : test::all_algorithms)
    CHECK(algorithm_from(to_string(algorithm)) == algorithm);
  for (const std::string_view name : {"none", "None", "nOnE", "NONE", "", "hs256", "HS256 ", "ES512", "PS384",
                                      "ES256K", "Ed25519", "eddsa", "RSA-OAEP", "dir"}) {
    CAPTURE(name);
    CHECK_FALSE(algorithm_from(name).has_value());
  }
  CHECK(to_string(AlgorithmSet{Algorithm::es256, Algorithm::hs256}) == "HS256, ES256");
}

TEST_CASE("key: every algorithm verifies what it has signed, any number of times, and nothing else") {
  for (const Algorithm algorithm : test::all_algorithms) {
    CAPTURE(to_string(algorithm));
    const Key key = key_of(describe(algorithm).key);
    std::string signature = signer_of(algorithm).sign(algorithm, "input");
    for (int i = 0; i < 3; ++i) {
      CHECK(key.verify(algorithm, "input", signature));
      CHECK_FALSE(key.verify(algorithm, "inpuT", signature));
      CHECK_FALSE(key.verify(algorithm, "", signature));
    }
    CHECK_FALSE(key.verify(algorithm, "input", ""));
    CHECK_FALSE(key.verify(algorithm, "input", signature + '\0'));
    CHECK_FALSE(key.verify(algorithm, "input", '\0' + signature));
    CHECK_FALSE(key.verify(algorithm, "input", signature.substr(0, signature.size() - 1)));
    CHECK_FALSE(key.verify(algorithm, "input", std::string(signature.size(), '\0')));
    CHECK_FALSE(key.verify(algorithm, "input", std::string(signature.size(), '\xFF')));
    for (std::size_t i = 0; i < signature.size(); ++i) {
      signature[i] = static_cast<char>(signature[i] ^ 1);
      CHECK_FALSE(key.verify(algorithm, "input", signature));
      signature[i] = static_cast<char>(signature[i] ^ 1);
    }
    CHECK(key.verify(algorithm, "input", signature));
  }
}

TEST_CASE("key: no algorithm accepts the signature of another") {
  for (const Algorithm algorithm : test::all_algorithms) {
    const std::string signature = signer_of(algorithm).sign(algorithm, "input");
    for (const Algorithm other : test::all_algorithms) {
      CAPTURE(to_string(algorithm));
      CAPTURE(to_string(other));
      CHECK(key_of(describe(other).key).verify(other, "input", signature) == (algorithm == other));
    }
  }
}

TEST_CASE("key: an algorithm that the key is not bound to is not verified") {
  const auto key = Key::from_pem(signer_of(KeyType::rsa).public_pem(), {Algorithm::rs256});
  REQUIRE(key.ok());
  CHECK(key->verify(Algorithm::rs256, "input", signer_of(KeyType::rsa).sign(Algorithm::rs256, "input")));
  CHECK_FALSE(
      key->verify(Algorithm::ps256, "input", signer_of(KeyType::rsa).sign(Algorithm::ps256, "input")));
}

TEST_CASE("key: a public key is never the secret of an HMAC") {
  const std::string pem = signer_of(KeyType::rsa).public_pem();
  CHECK(error_of(Key::from_pem(pem, {Algorithm::hs256})) ==
        "an RSA key can be used with RS256, RS384, RS512, PS256, not with HS256");
  CHECK(error_of(Key::from_pem(pem, {Algorithm::rs256, Algorithm::hs256})) != "");
  const Key key = key_of(KeyType::rsa);
  CHECK_FALSE(key.verify(Algorithm::hs256, "input", JoseSigner(pem).sign(Algorithm::hs256, "input")));
}

TEST_CASE("key: a secret is at least as long as the hash") {
  const std::string text(64, 's');
  const std::pair<Algorithm, std::size_t> needed[] = {
      {Algorithm::hs256, 32}, {Algorithm::hs384, 48}, {Algorithm::hs512, 64}};
  for (const auto& [algorithm, bytes] : needed) {
    CHECK(error_of(Key::from_secret(text.substr(0, bytes), {algorithm})) == "");
    CHECK(error_of(Key::from_secret(text.substr(0, bytes - 1), {algorithm})) ==
          std::string(to_string(algorithm)) + " needs a secret of at least " + std::to_string(bytes) +
              " bytes; this one has " + std::to_string(bytes - 1));
  }
  CHECK(error_of(Key::from_secret(text.substr(0, 32), {Algorithm::hs256, Algorithm::hs512})) ==
        "HS512 needs a secret of at least 64 bytes; this one has 32");
  CHECK(error_of(Key::from_secret(text, {Algorithm::es256})) ==
        "a secret can be used with HS256, HS384, HS512, not with ES256");
  CHECK(error_of(Key::from_secret(text, {})) ==
        "a secret can be used with HS256, HS384, HS512; none is given");
}

TEST_CASE("key: the length of a PSS salt is that of the hash") {
  const Key key = key_of(KeyType::rsa);
  JoseSigner signer(EVP_PKEY_dup(signer_of(KeyType::rsa).get()));
  CHECK(key.verify(Algorithm::ps256, "input", signer.sign(Algorithm::ps256, "input")));
  for (const int bytes : {0, 31, 33, RSA_PSS_SALTLEN_MAX}) {
    signer.salt_bytes = bytes;
    CHECK_FALSE(key.verify(Algorithm::ps256, "input", signer.sign(Algorithm::ps256, "input")));
  }
}

TEST_CASE("key: of ECDSA signatures each number has its length, and neither is 0 or beyond the order") {
  const Key key = key_of(KeyType::p256);
  const std::string good = signer_of(KeyType::p256).sign(Algorithm::es256, "input");
  const std::string r = good.substr(0, 32);
  const std::string s = good.substr(32);
  const std::string zero(32, '\0');
  CHECK(key.verify(Algorithm::es256, "input", r + s));
  CHECK_FALSE(key.verify(Algorithm::es256, "input", zero + s));
  CHECK_FALSE(key.verify(Algorithm::es256, "input", r + zero));
  CHECK_FALSE(key.verify(Algorithm::es256, "input", zero + zero));
  CHECK_FALSE(key.verify(Algorithm::es256, "input", std::string(32, '\xFF') + s));
  CHECK_FALSE(key.verify(Algorithm::es256, "input", s + r));
  // The same numbers with leading zeros, as long as those of P-384, and in DER.
  const std::string pad(16, '\0');
  CHECK_FALSE(key.verify(Algorithm::es256, "input", pad + r + pad + s));
  CHECK_FALSE(key.verify(Algorithm::es256, "input", "\x30\x44\x02\x20" + r + "\x02\x20" + s));
  const Key other = key_of(KeyType::p384);
  CHECK_FALSE(other.verify(Algorithm::es384, "input", pad + r + pad + s));
}

TEST_CASE("key: numbers of ECDSA with zeros or the sign bit in front are verified like others") {
  const Key key = key_of(KeyType::p256);
  bool has_zero = false;
  bool has_sign = false;
  // One of 128 signatures has a number that begins with a zero byte; three of four one with the sign bit.
  for (int i = 0; i < 3000 && !(has_zero && has_sign); ++i) {
    const std::string input = "input " + std::to_string(i);
    const std::string signature = signer_of(KeyType::p256).sign(Algorithm::es256, input);
    has_zero = has_zero || signature[0] == '\0' || signature[32] == '\0';
    has_sign = has_sign || signature[0] < 0 || signature[32] < 0;
    CHECK(key.verify(Algorithm::es256, input, signature));
  }
  CHECK(has_zero);
  CHECK(has_sign);
}

TEST_CASE("key: a PEM is a public key or a certificate of a supported type") {
  const std::string rsa = signer_of(KeyType::rsa).public_pem();
  const std::string pkcs1 = JoseSigner::pem([](BIO* bio) {
    unsigned char* der = nullptr;
    const int size = i2d_PublicKey(signer_of(KeyType::rsa).get(), &der);
    const int written = PEM_write_bio(bio, PEM_STRING_RSA_PUBLIC, "", der, size) > 0 ? 1 : 0;
    OPENSSL_free(der);
    return written;
  });
  const std::string certificate = JoseSigner::pem([](BIO* bio) {
    X509* const x509 = X509_new();
    X509_set_pubkey(x509, signer_of(KeyType::p256).get());
    X509_gmtime_adj(X509_getm_notBefore(x509), 0);
    X509_gmtime_adj(X509_getm_notAfter(x509), 60);
    X509_sign(x509, signer_of(KeyType::p256).get(), EVP_sha256());
    const int written = PEM_write_bio_X509(bio, x509);
    X509_free(x509);
    return written;
  });
  CHECK(error_of(Key::from_pem(rsa, {Algorithm::rs256})) == "");
  CHECK(error_of(Key::from_pem("A text in front.\n" + rsa + "and behind\n", {Algorithm::rs256})) == "");
  const auto from_pkcs1 = Key::from_pem(pkcs1, {Algorithm::rs256});
  REQUIRE_MESSAGE(from_pkcs1.ok(), error_of(from_pkcs1));
  CHECK(
      from_pkcs1->verify(Algorithm::rs256, "input", signer_of(KeyType::rsa).sign(Algorithm::rs256, "input")));
  const auto from_certificate = Key::from_pem(certificate, {Algorithm::es256});
  REQUIRE_MESSAGE(from_certificate.ok(), error_of(from_certificate));
  CHECK(from_certificate->verify(Algorithm::es256, "input",
                                 signer_of(KeyType::p256).sign(Algorithm::es256, "input")));

  CHECK(error_of(Key::from_pem("", {Algorithm::rs256})).starts_with("there is no PEM block"));
  CHECK(error_of(Key::from_pem("ssh-rsa AAAA", {Algorithm::rs256})).starts_with("there is no PEM block"));
  CHECK(error_of(Key::from_pem(rsa.substr(0, rsa.size() / 2), {Algorithm::rs256}))
            .starts_with("there is no PEM"));
  CHECK(error_of(Key::from_pem(rsa + certificate, {Algorithm::rs256}))
            .starts_with("there is more than one PEM"));
  CHECK(error_of(Key::from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                               {Algorithm::rs256})) ==
        "the PEM block PUBLIC KEY is malformed, or of an unknown type of key");
  CHECK(error_of(Key::from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                               {Algorithm::rs256})) ==
        "the PEM block CERTIFICATE is malformed, or of an unknown type of key");
  CHECK(error_of(
            Key::from_pem("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", {Algorithm::rs256})) ==
        "a PEM block is a PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE, not X509 CRL");
  CHECK(error_of(Key::from_pem(rsa + std::string(pem_bytes_max - rsa.size(), '\n'), {Algorithm::rs256})) ==
        "");
  CHECK(error_of(Key::from_pem(rsa + std::string(pem_bytes_max - rsa.size() + 1, '\n'),
                               {Algorithm::rs256})) == "a PEM may have 65536 bytes; this one has 65537");
}

TEST_CASE("key: a private key is refused, encrypted or not, and never asks for a passphrase") {
  const JoseSigner& signer = signer_of(KeyType::p256);
  const std::string encrypted = JoseSigner::pem([&](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, signer.get(), EVP_aes_256_cbc(), "secret", 6, nullptr, nullptr);
  });
  const std::string traditional = JoseSigner::pem([&](BIO* bio) {
    return PEM_write_bio_PrivateKey_traditional(bio, signer.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  CHECK(traditional.find("BEGIN EC PRIVATE KEY") != std::string::npos);
  CHECK(encrypted.find("BEGIN ENCRYPTED PRIVATE KEY") != std::string::npos);
  for (const std::string& pem : {signer.private_pem(), encrypted, traditional})
    CHECK(error_of(Key::from_pem(pem, {Algorithm::es256})).starts_with("this is a private key"));
}

TEST_CASE("key: RSA keys have 2048 to 8192 bits") {
  const auto from = [](EVP_PKEY* key) { return error_of(Key::from_pem(pem_of(key), {Algorithm::rs256})); };
  CHECK(from(EVP_RSA_gen(1024)) == "an RSA key must have 2048 to 8192 bits; this one has 1024");
  CHECK(from(EVP_RSA_gen(2047)) == "an RSA key must have 2048 to 8192 bits; this one has 2047");
  CHECK(from(EVP_RSA_gen(2048)) == "");
  // Making such keys takes seconds: any odd number of that size will do for reading one.
  const auto of_bits = [](std::size_t bits) {
    std::string modulus(bits / 8, '\xFF');
    return PublicKey::from_rsa(bits % 8 == 0 ? modulus : '\1' + modulus, "\3");
  };
  CHECK(of_bits(8192).ok());
  CHECK_FALSE(of_bits(8193).ok());
}

TEST_CASE("key: exponents of RSA that nobody should verify with are refused") {
  const std::string modulus = number_bytes(signer_of(KeyType::rsa).get(), OSSL_PKEY_PARAM_RSA_N);
  const auto with = [&](std::string_view exponent) { return PublicKey::from_rsa(modulus, exponent).ok(); };
  CHECK(with(std::string_view("\1\0\1", 3)));
  CHECK(with("\3"));
  CHECK(with(std::string(8, '\xFF')));
  CHECK_FALSE(with(std::string(9, '\xFF')));
  CHECK_FALSE(with("\1"));
  CHECK_FALSE(with("\2"));
  CHECK_FALSE(with(std::string_view("\0", 1)));
  CHECK_FALSE(with(""));
  CHECK_FALSE(PublicKey::from_rsa("", "\3").ok());
  CHECK(error_of(Key::from_pem(pem_of(rsa_with_exponent(3)), {Algorithm::rs256})) == "");
}

TEST_CASE("key: types and curves that are not supported are refused by name") {
  const auto from = [](EVP_PKEY* key, Algorithm algorithm) {
    return error_of(Key::from_pem(pem_of(key), {algorithm}));
  };
  CHECK(from(EVP_EC_gen("P-521"), Algorithm::es256) ==
        "keys are RSA, EC on P-256 or P-384, or Ed25519; this one is EC on another curve, or on one that is "
        "given by its parameters");
  CHECK(from(EVP_EC_gen("secp256k1"), Algorithm::es256).find("EC on another curve") != std::string::npos);
  CHECK(from(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"), Algorithm::eddsa).ends_with("this one is ED448"));
  CHECK(
      from(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"), Algorithm::eddsa).ends_with("this one is X25519"));
  CHECK(from(ec_by_parameters(), Algorithm::es256).ends_with("or on one that is given by its parameters"));
  CHECK(from(EVP_EC_gen("P-384"), Algorithm::es256) == "a P-384 key can be used with ES384, not with ES256");
  CHECK(from(EVP_EC_gen("P-256"), Algorithm::es384) == "a P-256 key can be used with ES256, not with ES384");
}

TEST_CASE("key: a point that is not on its curve, or of the wrong length, is refused") {
  const std::string x = number_bytes(signer_of(KeyType::p384).get(), OSSL_PKEY_PARAM_EC_PUB_X);
  const std::string y = number_bytes(signer_of(KeyType::p384).get(), OSSL_PKEY_PARAM_EC_PUB_Y);
  const auto padded = [](const std::string& number) {
    return std::string(48 - number.size(), '\0') + number;
  };
  CHECK(PublicKey::from_point(KeyType::p384, padded(x), padded(y)).ok());
  std::string wrong = padded(y);
  wrong.back() = static_cast<char>(wrong.back() ^ 1);
  CHECK_FALSE(PublicKey::from_point(KeyType::p384, padded(x), wrong).ok());
  CHECK_FALSE(PublicKey::from_point(KeyType::p384, '\0' + padded(x), padded(y)).ok());
  CHECK_FALSE(PublicKey::from_point(KeyType::p384, padded(x), padded(y).substr(1)).ok());
  CHECK_FALSE(PublicKey::from_point(KeyType::p256, padded(x).substr(0, 32), padded(y).substr(0, 32)).ok());
  CHECK_FALSE(PublicKey::from_point(KeyType::p256, std::string(32, '\0'), std::string(32, '\0')).ok());
  CHECK_FALSE(PublicKey::from_ed25519(std::string(31, 'x')).ok());
  CHECK_FALSE(PublicKey::from_ed25519(std::string(33, 'x')).ok());
}

TEST_CASE("key: an algorithm that OpenSSL does not have is an error, not a crash") {
  auto rsa = PublicKey::from_pem(signer_of(KeyType::rsa).public_pem());
  auto p256 = PublicKey::from_pem(signer_of(KeyType::p256).public_pem());
  auto ed25519 = PublicKey::from_pem(signer_of(KeyType::ed25519).public_pem());
  REQUIRE((rsa.ok() && p256.ok() && ed25519.ok()));
  JoseSigner::require(EVP_set_default_properties(nullptr, "provider=none") == 1);
  const std::string errors[] = {
      error_of(Key::from_secret(test::jose_secret, {Algorithm::hs384})),
      error_of(Key::from_public_key(std::move(*rsa), {Algorithm::ps256})),
      error_of(Key::from_public_key(std::move(*p256), {Algorithm::es256})),
      error_of(Key::from_public_key(std::move(*ed25519), {Algorithm::eddsa})),
  };
  JoseSigner::require(EVP_set_default_properties(nullptr, "") == 1);
  CHECK(errors[0] == "OpenSSL does not provide HS384 here");
  CHECK(errors[1] == "OpenSSL does not provide PS256 here");
  CHECK(errors[2] == "OpenSSL does not provide ES256 here");
  CHECK(errors[3] == "OpenSSL does not provide EdDSA here");
  CHECK(error_of(Key::from_secret(test::jose_secret, {Algorithm::hs384})) == "");
}

TEST_CASE("key: one that has moved still verifies") {
  Key key = key_of(KeyType::p256);
  key.set_kid("first");
  Key moved = std::move(key);
  CHECK(moved.kid() == "first");
  Key assigned = key_of(KeyType::secret);
  assigned = std::move(moved);
  CHECK(assigned.verify(Algorithm::es256, "input", signer_of(KeyType::p256).sign(Algorithm::es256, "input")));
}

}  // namespace key_test
