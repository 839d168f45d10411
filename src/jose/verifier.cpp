#include "jose/verifier.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "jose/openssl_owners.h"

namespace roomcast::jose {
namespace {

using Verifiers = base::Result<std::unique_ptr<Verifier>>;

base::Error unavailable(Algorithm algorithm) {
  ERR_clear_error();
  return {"OpenSSL does not provide " + std::string(to_string(algorithm)) + " here"};
}

/// Calls `visit` for each algorithm of the set, until it returns false.
template <class Visit>
std::optional<Algorithm> first_failing(AlgorithmSet algorithms, Visit visit) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Algorithm::count_); ++i) {
    const auto algorithm = static_cast<Algorithm>(i);
    if (algorithms.has(algorithm) && !visit(algorithm)) return algorithm;
  }
  return std::nullopt;
}

template <class Entry>
Entry* entry_of(std::vector<Entry>& entries, Algorithm algorithm) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [algorithm](const Entry& entry) { return entry.algorithm == algorithm; });
  return found == entries.end() ? nullptr : &*found;
}

class HmacVerifier final : public Verifier {
 public:
  /// Keys a context for `algorithm`.
  [[nodiscard]] bool add(Algorithm algorithm, std::string_view secret) {
    if (!mac_) mac_.reset(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    MacContextOwner context(mac_ ? EVP_MAC_CTX_new(mac_.get()) : nullptr);
    std::string hash = describe(algorithm).hash;
    const std::array<OSSL_PARAM, 2> params{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash.data(), 0), OSSL_PARAM_construct_end()};
    if (!context || EVP_MAC_init(context.get(), bytes_of(secret), secret.size(), params.data()) != 1)
      return false;
    entries_.push_back({algorithm, std::move(context)});
    return true;
  }

  bool verify(Algorithm algorithm, std::string_view input, std::string_view signature) override {
    const Entry* const entry = entry_of(entries_, algorithm);
    if (entry == nullptr) return false;
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    std::size_t size = 0;
    EVP_MAC_CTX* const context = entry->context.get();
    // Without a key the context begins anew with the one it has.
    const bool computed = EVP_MAC_init(context, nullptr, 0, nullptr) == 1 &&
                          EVP_MAC_update(context, bytes_of(input), input.size()) == 1 &&
                          EVP_MAC_final(context, mac.data(), &size, mac.size()) == 1;
    if (!computed) ERR_clear_error();
    return computed && size == describe(algorithm).hash_bytes && signature.size() == size &&
           CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
  }

 private:
  struct Entry {
    Algorithm algorithm;
    MacContextOwner context;
  };
  MacOwner mac_;
  std::vector<Entry> entries_;
};

/// An ECDSA signature in DER (RFC 3279 section 2.2.3), made of the fixed-length numbers of RFC 7518
/// section 3.4. At most 2 * (2 + 49) + 2 bytes for P-384, so that every length fits one byte.
class DerSignature {
 public:
  /// `raw` is the concatenation of both numbers, of 48 bytes each at most.
  explicit DerSignature(std::string_view raw) {
    const std::size_t half = raw.size() / 2;
    bytes_[0] = sequence;
    append_integer(raw.substr(0, half));
    append_integer(raw.substr(half));
    bytes_[1] = static_cast<unsigned char>(size_ - 2);
  }
  [[nodiscard]] const unsigned char* data() const { return bytes_.data(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void append_integer(std::string_view number) {
    number.remove_prefix(std::min(number.find_first_not_of('\0'), number.size() - 1));
    const bool is_negative = (static_cast<unsigned char>(number.front()) & 0x80U) != 0;
    append(integer);
    append(static_cast<unsigned char>(number.size() + (is_negative ? 1 : 0)));
    if (is_negative) append(0);
    for (const char byte : number)
      append(static_cast<unsigned char>(byte));
  }
  void append(unsigned char byte) { bytes_.at(size_++) = byte; }

  static constexpr unsigned char sequence = 0x30;
  static constexpr unsigned char integer = 0x02;
  std::array<unsigned char, 104> bytes_{};
  std::size_t size_ = 2;
};

/// RSA and ECDSA: OpenSSL verifies the signature of a hash, with a context that can be used any number of
/// times.
class PkeyVerifier final : public Verifier {
 public:
  explicit PkeyVerifier(PublicKey key) : key_(std::move(key)), hashing_(EVP_MD_CTX_new()) {}

  [[nodiscard]] bool add(Algorithm algorithm) {
    DigestOwner hash(EVP_MD_fetch(nullptr, describe(algorithm).hash, nullptr));
    PkeyContextOwner context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    if (!hashing_ || !hash || !context || !prepare(context.get(), algorithm, hash.get())) return false;
    entries_.push_back({algorithm, std::move(hash), std::move(context)});
    return true;
  }

  bool verify(Algorithm algorithm, std::string_view input, std::string_view signature) override {
    const Entry* const entry = entry_of(entries_, algorithm);
    if (entry == nullptr || signature.size() != signature_bytes()) return false;
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned size = 0;
    const bool hashed = EVP_DigestInit_ex2(hashing_.get(), entry->hash.get(), nullptr) == 1 &&
                        EVP_DigestUpdate(hashing_.get(), input.data(), input.size()) == 1 &&
                        EVP_DigestFinal_ex(hashing_.get(), hash.data(), &size) == 1;
    const bool verified = hashed && verify_hash(entry->context.get(), signature, {hash.data(), size});
    if (!verified) ERR_clear_error();
    return verified;
  }

 private:
  struct Entry {
    Algorithm algorithm;
    DigestOwner hash;
    PkeyContextOwner context;
  };
  struct Hash {
    const unsigned char* data;
    std::size_t size;
  };

  static bool prepare(EVP_PKEY_CTX* context, Algorithm algorithm, const EVP_MD* hash) {
    if (EVP_PKEY_verify_init(context) != 1) return false;
    // RFC 7518 section 3.5: the salt is as long as the hash, which MGF1 uses too.
    if (algorithm == Algorithm::ps256) {
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_signature_md(context, hash) == 1 &&
             EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    if (describe(algorithm).key == KeyType::rsa &&
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) != 1)
      return false;
    return EVP_PKEY_CTX_set_signature_md(context, hash) == 1;
  }

  /// The exact length of a signature: of the modulus, or of both numbers.
  [[nodiscard]] std::size_t signature_bytes() const {
    if (key_.type() == KeyType::p256) return 2 * std::size_t{32};
    if (key_.type() == KeyType::p384) return 2 * std::size_t{48};
    return static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
  }

  [[nodiscard]] bool verify_hash(EVP_PKEY_CTX* context, std::string_view signature, Hash hash) const {
    if (key_.type() == KeyType::rsa)
      return EVP_PKEY_verify(context, bytes_of(signature), signature.size(), hash.data, hash.size) == 1;
    const DerSignature der(signature);
    return EVP_PKEY_verify(context, der.data(), der.size(), hash.data, hash.size) == 1;
  }

  PublicKey key_;
  DigestContextOwner hashing_;
  std::vector<Entry> entries_;
};

class Ed25519Verifier final : public Verifier {
 public:
  explicit Ed25519Verifier(PublicKey key) : key_(std::move(key)), context_(EVP_MD_CTX_new()) {}

  [[nodiscard]] bool is_usable() const { return begin(); }

  bool verify(Algorithm algorithm, std::string_view input, std::string_view signature) override {
    constexpr std::size_t signature_bytes = 64;
    if (algorithm != Algorithm::eddsa || signature.size() != signature_bytes) return false;
    const bool verified = begin() && EVP_DigestVerify(context_.get(), bytes_of(signature), signature.size(),
                                                      bytes_of(input), input.size()) == 1;
    if (!verified) ERR_clear_error();
    return verified;
  }

 private:
  /// A context verifies once: OpenSSL has no other way for this algorithm, which signs texts, not hashes.
  [[nodiscard]] bool begin() const {
    return context_ && EVP_MD_CTX_reset(context_.get()) == 1 &&
           EVP_DigestVerifyInit(context_.get(), nullptr, nullptr, nullptr, key_.get()) == 1;
  }

  PublicKey key_;
  DigestContextOwner context_;
};

}  // namespace

Verifiers make_verifier(std::string_view secret, AlgorithmSet algorithms) {
  auto verifier = std::make_unique<HmacVerifier>();
  const auto failed =
      first_failing(algorithms, [&](Algorithm algorithm) { return verifier->add(algorithm, secret); });
  if (failed) return unavailable(*failed);
  return std::unique_ptr<Verifier>(std::move(verifier));
}

Verifiers make_verifier(PublicKey key, AlgorithmSet algorithms) {
  if (key.type() == KeyType::ed25519) {
    auto verifier = std::make_unique<Ed25519Verifier>(std::move(key));
    if (!verifier->is_usable()) return unavailable(Algorithm::eddsa);
    return std::unique_ptr<Verifier>(std::move(verifier));
  }
  auto verifier = std::make_unique<PkeyVerifier>(std::move(key));
  const auto failed =
      first_failing(algorithms, [&](Algorithm algorithm) { return verifier->add(algorithm); });
  if (failed) return unavailable(*failed);
  return std::unique_ptr<Verifier>(std::move(verifier));
}

}  // namespace roomcast::jose
