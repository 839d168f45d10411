#pragma once

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "jose/algorithm.h"

namespace roomcast::test {

inline std::string base64url(std::string_view bytes) {
  std::string out;
  base::append_base64url(out, bytes);
  return out;
}

/// The compact form of a token with these parts, none of which is encoded yet.
inline std::string compact(std::string_view header, std::string_view payload, std::string_view signature) {
  return base64url(header) + '.' + base64url(payload) + '.' + base64url(signature);
}

/// Signs tokens as an issuer does, with OpenSSL and nothing of src/jose but the names of algorithms.
class JoseSigner {
 public:
  /// Takes over `key`, a private key that OpenSSL has made.
  explicit JoseSigner(EVP_PKEY* key) : key_(key, EVP_PKEY_free) {
    if (key == nullptr) std::abort();
  }
  explicit JoseSigner(std::string secret) : secret_(std::move(secret)) {}

  static JoseSigner rsa(unsigned bits = 2048) { return JoseSigner(EVP_RSA_gen(bits)); }
  static JoseSigner ec(const char* curve = "P-256") { return JoseSigner(EVP_EC_gen(curve)); }
  static JoseSigner named(const char* type) { return JoseSigner(EVP_PKEY_Q_keygen(nullptr, nullptr, type)); }

  [[nodiscard]] EVP_PKEY* get() const { return key_.get(); }

  /// How long the salt of RSA-PSS is, in bytes; otherwise as long as the hash.
  int salt_bytes = RSA_PSS_SALTLEN_DIGEST;

  /// A token with this header, signed by `algorithm` whatever the header says.
  [[nodiscard]] std::string token(jose::Algorithm algorithm, std::string_view header,
                                  std::string_view payload) const {
    const std::string input = base64url(header) + '.' + base64url(payload);
    return input + '.' + base64url(sign(algorithm, input));
  }
  /// A token whose header has nothing but `alg` and `members`, such as `,"kid":"abc"`.
  [[nodiscard]] std::string token_of(jose::Algorithm algorithm, std::string_view payload,
                                     std::string_view members = "") const {
    return token(algorithm,
                 R"({"alg":")" + std::string(to_string(algorithm)) + '"' + std::string(members) + '}',
                 payload);
  }

  /// The signature of `input` in the form that RFC 7518 section 3 gives it.
  [[nodiscard]] std::string sign(jose::Algorithm algorithm, std::string_view input) const {
    const auto& info = describe(algorithm);
    const EVP_MD* const hash = info.hash != nullptr ? EVP_get_digestbyname(info.hash) : nullptr;
    if (info.key == jose::KeyType::secret) return hmac(hash, input);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_PKEY_CTX* parameters = nullptr;
    require(EVP_DigestSignInit(context.get(), &parameters, hash, nullptr, key_.get()) == 1);
    if (algorithm == jose::Algorithm::ps256) {
      require(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1);
      require(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt_bytes) == 1);
    }
    const auto* const data = reinterpret_cast<const unsigned char*>(input.data());
    std::size_t size = 0;
    require(EVP_DigestSign(context.get(), nullptr, &size, data, input.size()) == 1);
    std::string out(size, '\0');
    require(EVP_DigestSign(context.get(), bytes(out), &size, data, input.size()) == 1);
    out.resize(size);
    if (EVP_PKEY_is_a(key_.get(), "EC") == 1) return raw_of(out);
    return out;
  }

  [[nodiscard]] std::string public_pem() const {
    return pem([this](BIO* bio) { return PEM_write_bio_PUBKEY(bio, key_.get()); });
  }
  [[nodiscard]] std::string private_pem() const {
    return pem([this](BIO* bio) {
      return PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  /// The public key as a JWK with further `members`, such as `,"kid":"abc"`.
  [[nodiscard]] std::string jwk(std::string_view members = "") const {
    return '{' + jwk_members() + std::string(members) + '}';
  }

  template <class Write>
  static std::string pem(Write write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
    require(write(bio.get()) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
  }

  static void require(bool holds) {
    if (!holds) std::abort();
  }

 private:
  static unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

  [[nodiscard]] std::string hmac(const EVP_MD* hash, std::string_view input) const {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    require(HMAC(hash, secret_.data(), static_cast<int>(secret_.size()),
                 reinterpret_cast<const unsigned char*>(input.data()), input.size(), bytes(out),
                 &size) != nullptr);
    out.resize(size);
    return out;
  }

  /// Both numbers of a signature in DER, each as long as the order of the curve.
  [[nodiscard]] std::string raw_of(const std::string& der) const {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* const signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    require(signature != nullptr);
    const int half = (EVP_PKEY_get_bits(key_.get()) + 7) / 8;
    std::string out(2 * static_cast<std::size_t>(half), '\0');
    require(BN_bn2binpad(ECDSA_SIG_get0_r(signature), bytes(out), half) == half);
    require(BN_bn2binpad(ECDSA_SIG_get0_s(signature), bytes(out) + half, half) == half);
    ECDSA_SIG_free(signature);
    return out;
  }

  [[nodiscard]] std::string number(const char* name, int size = 0) const {
    BIGNUM* value = nullptr;
    require(EVP_PKEY_get_bn_param(key_.get(), name, &value) == 1);
    const int length = size > 0 ? size : BN_num_bytes(value);
    std::string out(static_cast<std::size_t>(length), '\0');
    require(BN_bn2binpad(value, bytes(out), length) == length);
    BN_free(value);
    return base64url(out);
  }

  [[nodiscard]] std::string jwk_members() const {
    if (!key_) return R"("kty":"oct","k":")" + base64url(secret_) + '"';
    if (EVP_PKEY_is_a(key_.get(), "RSA") == 1) {
      return R"("kty":"RSA","n":")" + number(OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" +
             number(OSSL_PKEY_PARAM_RSA_E) + '"';
    }
    const int bits = EVP_PKEY_get_bits(key_.get());
    if (EVP_PKEY_is_a(key_.get(), "EC") == 1) {
      const int size = (bits + 7) / 8;
      return R"("kty":"EC","crv":"P-)" + std::to_string(bits) + R"(","x":")" +
             number(OSSL_PKEY_PARAM_EC_PUB_X, size) + R"(","y":")" + number(OSSL_PKEY_PARAM_EC_PUB_Y, size) +
             '"';
    }
    std::string x(32, '\0');
    std::size_t size = x.size();
    require(EVP_PKEY_get_raw_public_key(key_.get(), bytes(x), &size) == 1 && size == x.size());
    return R"("kty":"OKP","crv":"Ed25519","x":")" + base64url(x) + '"';
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_{nullptr, EVP_PKEY_free};
  std::string secret_;
};

}  // namespace roomcast::test
