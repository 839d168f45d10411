// What a token costs beside OpenSSL's verification of its bare signature. Skipped unless it is asked for:
// build/release/tests/unit_jose --test-case='cost*' --no-skip

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "jose/verify.h"
#include "support/jose_keys.h"

namespace cost_test {

using namespace roomcast;
using namespace roomcast::jose;
using test::JoseSigner;
using test::signer_of;

namespace {

constexpr std::int64_t now_s = 1'700'000'000;
/// The payload of a token of 300 to 500 bytes, as issuers make them.
const std::string payload =
    R"({"iss":"https://issuer.example","aud":"chat","sub":"user-7f3a9c","name":"Ada Lovelace","iat":1699999990,)"
    R"("exp":1700000300,"jti":"0b6f3c1e","roles":["editor"]})";

/// CPU time of this process in ns.
double cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

template <class Run>
double ns_of_each(std::size_t count, Run run) {
  const double begin = cpu_ns();
  for (std::size_t i = 0; i < count; ++i)
    run();
  return (cpu_ns() - begin) / static_cast<double>(count);
}

double median(std::vector<double> figures) {
  std::sort(figures.begin(), figures.end());
  return figures[figures.size() / 2];
}

/// OpenSSL's verification of one signature over a text: with the key loaded and the context allocated, as the
/// manual pages show it.
class Bare {
 public:
  Bare(Algorithm algorithm, const std::string& token) : algorithm_(algorithm) {
    input_ = token.substr(0, token.rfind('.'));
    JoseSigner::require(
        base::base64url_decode(std::string_view(token).substr(token.rfind('.') + 1), signature_));
    if (describe(algorithm).key == KeyType::p256 || describe(algorithm).key == KeyType::p384) make_der();
    if (describe(algorithm).hash != nullptr) hash_ = EVP_MD_fetch(nullptr, describe(algorithm).hash, nullptr);
  }
  Bare(const Bare&) = delete;
  Bare& operator=(const Bare&) = delete;
  ~Bare() {
    EVP_MD_free(hash_);
    EVP_MD_CTX_free(context_);
  }

  void verify() {
    if (describe(algorithm_).key == KeyType::secret) return verify_mac();
    EVP_PKEY_CTX* parameters = nullptr;
    EVP_MD_CTX_reset(context_);
    JoseSigner::require(
        EVP_DigestVerifyInit(context_, &parameters, hash_, nullptr, signer_of(algorithm_).get()) == 1);
    if (algorithm_ == Algorithm::ps256) {
      JoseSigner::require(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
                          EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1);
    }
    JoseSigner::require(
        EVP_DigestVerify(context_, bytes(signature_), signature_.size(), bytes(input_), input_.size()) == 1);
  }

 private:
  static const unsigned char* bytes(const std::string& text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  }

  void verify_mac() {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(hash_, test::jose_secret.data(), static_cast<int>(test::jose_secret.size()), bytes(input_),
         input_.size(), mac, &size);
    JoseSigner::require(size == signature_.size() && CRYPTO_memcmp(mac, signature_.data(), size) == 0);
  }

  void make_der() {
    ECDSA_SIG* const numbers = ECDSA_SIG_new();
    const auto half = static_cast<int>(signature_.size() / 2);
    ECDSA_SIG_set0(numbers, BN_bin2bn(bytes(signature_), half, nullptr),
                   BN_bin2bn(bytes(signature_) + half, half, nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(numbers, &der);
    signature_.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    ECDSA_SIG_free(numbers);
  }

  Algorithm algorithm_;
  std::string input_;
  std::string signature_;
  EVP_MD* hash_ = nullptr;
  EVP_MD_CTX* context_ = EVP_MD_CTX_new();
};

KeySet keys_of(Algorithm algorithm) {
  auto keys = KeySet::from_jwks(R"({"keys":[)" + signer_of(algorithm).jwk(R"(,"kid":"2026-11")") + "]}",
                                {algorithm}, JwksOrigin::file);
  JoseSigner::require(keys.ok());
  return std::move(*keys);
}

}  // namespace

TEST_CASE("cost: a token beside OpenSSL's verification of its bare signature" * doctest::skip()) {
  std::cout << "algorithm  token B  bare us  whole us  more us  whole/bare\n" << std::fixed;
  for (const Algorithm algorithm : test::all_algorithms) {
    const std::string token =
        signer_of(algorithm).token_of(algorithm, payload, R"(,"typ":"JWT","kid":"2026-11")");
    const KeySet keys = keys_of(algorithm);
    const Expectations expectations{.issuer = "https://issuer.example", .audience = {"chat"}, .now_s = now_s};
    Bare bare(algorithm, token);
    const auto whole = [&] {
      const auto parsed = parse(token);
      JoseSigner::require(parsed.ok() && verify(*parsed, keys, expectations).ok());
    };
    const bool is_quick = describe(algorithm).key == KeyType::secret;
    const std::size_t count = is_quick ? 4000 : 400;
    std::vector<double> bares;
    std::vector<double> wholes;
    // In turns, so that what else the machine does disturbs both alike.
    constexpr int rounds = 41;
    for (int round = 0; round < rounds; ++round) {
      bares.push_back(ns_of_each(count, [&] { bare.verify(); }));
      wholes.push_back(ns_of_each(count, whole));
    }
    const double bare_us = median(bares) / 1000;
    const double whole_us = median(wholes) / 1000;
    std::cout << std::setw(9) << to_string(algorithm) << std::setw(9) << token.size() << std::setprecision(2)
              << std::setw(9) << bare_us << std::setw(10) << whole_us << std::setw(9) << whole_us - bare_us
              << std::setw(12) << whole_us / bare_us << '\n';
  }
}

}  // namespace cost_test
