#include "jose/public_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <optional>
#include <string>

#include "jose/openssl_owners.h"

namespace roomcast::jose {
namespace {

using base::Error;

constexpr std::size_t ed25519_bytes = 32;

/// Runs `free` for a pointer that OpenSSL allocated with its own allocator.
struct OpensslMemoryFree {
  template <class T>
  void operator()(T* memory) const {
    OPENSSL_free(memory);
  }
};

struct PemBlock {
  std::string label;  // "PUBLIC KEY"
  std::string der;
};

/// Takes the next PEM block. Nothing is decrypted: that could ask for a passphrase at the terminal.
std::optional<PemBlock> next_block(BIO* bio) {
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* der = nullptr;
  long size = 0;
  const bool found = PEM_read_bio(bio, &label, &header, &der, &size) == 1;
  ERR_clear_error();
  const std::unique_ptr<char, OpensslMemoryFree> label_owner(label);
  const std::unique_ptr<char, OpensslMemoryFree> header_owner(header);
  const std::unique_ptr<unsigned char, OpensslMemoryFree> der_owner(der);
  if (!found) return std::nullopt;
  PemBlock block{label, std::string(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size))};
  OPENSSL_cleanse(der, static_cast<std::size_t>(size));
  return block;
}

PkeyOwner key_of_certificate(const PemBlock& block) {
  const unsigned char* at = bytes_of(block.der);
  const X509Owner certificate(d2i_X509(nullptr, &at, static_cast<long>(block.der.size())));
  return PkeyOwner(certificate ? X509_get_pubkey(certificate.get()) : nullptr);
}

/// The key of a block whose label is one of those that are read; null if it is malformed.
PkeyOwner key_of_block(const PemBlock& block) {
  if (block.label == PEM_STRING_X509 || block.label == PEM_STRING_X509_OLD) return key_of_certificate(block);
  const unsigned char* at = bytes_of(block.der);
  const auto size = static_cast<long>(block.der.size());
  if (block.label == PEM_STRING_RSA_PUBLIC) return PkeyOwner(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, size));
  return PkeyOwner(d2i_PUBKEY(nullptr, &at, size));
}

bool is_readable(std::string_view label) {
  return label == PEM_STRING_PUBLIC || label == PEM_STRING_RSA_PUBLIC || label == PEM_STRING_X509 ||
         label == PEM_STRING_X509_OLD;
}

/// The curve of an EC key by OpenSSL's name; empty if it is given by its parameters.
std::string group_of(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  int is_explicit = 0;
  (void)EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit);
  if (is_explicit != 0 ||
      EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size(), &size) != 1)
    return {};
  return {name.data(), size};
}

/// An even exponent, or 1, with which anybody could sign, makes no signature. The bound keeps a verification
/// quick: all exponents in use are 65537 or less.
bool has_sound_exponent(const EVP_PKEY* key) {
  BIGNUM* exponent = nullptr;
  const bool found = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1;
  const BignumOwner owner(exponent);
  constexpr int bits_max = 64;
  return found && BN_is_odd(exponent) == 1 && BN_is_one(exponent) == 0 && BN_num_bits(exponent) <= bits_max;
}

std::optional<Error> check_rsa(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < rsa_bits_min || bits > rsa_bits_max) {
    return Error{"an RSA key must have " + std::to_string(rsa_bits_min) + " to " +
                 std::to_string(rsa_bits_max) + " bits; this one has " + std::to_string(bits)};
  }
  if (!has_sound_exponent(key))
    return Error{"the exponent of the RSA key must be odd, and 3 or up to 64 bits"};
  return std::nullopt;
}

PkeyOwner key_from(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamsOwner params(OSSL_PARAM_BLD_to_param(builder));
  const PkeyContextOwner context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params && context && EVP_PKEY_fromdata_init(context.get()) == 1)
    (void)EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get());
  return PkeyOwner(key);
}

BignumOwner number_of(std::string_view bytes) {
  return BignumOwner(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

}  // namespace

void PublicKey::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

std::string_view name_of(KeyType type) {
  switch (type) {
    case KeyType::secret:
      return "a secret";
    case KeyType::rsa:
      return "an RSA key";
    case KeyType::p256:
      return "a P-256 key";
    case KeyType::p384:
      return "a P-384 key";
    case KeyType::ed25519:
      break;
  }
  return "an Ed25519 key";
}

base::Result<PublicKey> PublicKey::checked(Owner key) {
  const auto done = [&](KeyType type) -> base::Result<PublicKey> { return PublicKey(std::move(key), type); };
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1) {
    if (auto error = check_rsa(key.get())) return std::move(*error);
    return done(KeyType::rsa);
  }
  if (EVP_PKEY_is_a(key.get(), "ED25519") == 1) return done(KeyType::ed25519);
  if (EVP_PKEY_is_a(key.get(), "EC") == 1) {
    const std::string group = group_of(key.get());
    if (group == SN_X9_62_prime256v1 || group == SN_secp384r1) {
      const PkeyContextOwner context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
      const bool on_curve = context && EVP_PKEY_public_check(context.get()) == 1;
      ERR_clear_error();
      if (!on_curve) return Error{"the point of the EC key is not on its curve"};
      return done(group == SN_secp384r1 ? KeyType::p384 : KeyType::p256);
    }
  }
  const char* const type = EVP_PKEY_get0_type_name(key.get());
  return Error{"keys are RSA, EC on P-256 or P-384, or Ed25519; this one is " +
               std::string(type != nullptr ? type : "of an unknown type") +
               (EVP_PKEY_is_a(key.get(), "EC") == 1
                    ? " on another curve, or on one that is given by its parameters"
                    : "")};
}

base::Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  if (pem.size() > pem_bytes_max) {
    return Error{"a PEM may have " + std::to_string(pem_bytes_max) + " bytes; this one has " +
                 std::to_string(pem.size())};
  }
  const BioOwner bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  auto block = bio ? next_block(bio.get()) : std::nullopt;
  if (!block) return Error{"there is no PEM block (-----BEGIN PUBLIC KEY-----)"};
  if (block->label.ends_with("PRIVATE KEY")) {
    OPENSSL_cleanse(block->der.data(), block->der.size());
    return Error{
        "this is a private key, which only the issuer of tokens should have; the public key suffices to "
        "verify "
        "them (openssl pkey -in PRIVATE.pem -pubout)"};
  }
  if (!is_readable(block->label))
    return Error{"a PEM block is a PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE, not " + block->label};
  if (next_block(bio.get())) {
    return Error{"there is more than one PEM block; each key has its own file, or all are in a JWKS"};
  }
  Owner key(key_of_block(*block).release());
  ERR_clear_error();
  if (!key) return Error{"the PEM block " + block->label + " is malformed, or of an unknown type of key"};
  return checked(std::move(key));
}

base::Result<PublicKey> PublicKey::from_rsa(std::string_view modulus, std::string_view exponent) {
  constexpr std::size_t bytes_max = rsa_bits_max / 8;
  if (modulus.size() > bytes_max || exponent.size() > bytes_max)
    return Error{"an RSA key must have " + std::to_string(rsa_bits_min) + " to " +
                 std::to_string(rsa_bits_max) + " bits"};
  const BignumOwner n = number_of(modulus);
  const BignumOwner e = number_of(exponent);
  const ParamBuilderOwner builder(OSSL_PARAM_BLD_new());
  Owner key;
  if (n && e && builder && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1)
    key.reset(key_from("RSA", builder.get()).release());
  ERR_clear_error();
  if (!key) return Error{"the numbers of the RSA key are not valid"};
  return checked(std::move(key));
}

base::Result<PublicKey> PublicKey::from_point(KeyType curve, std::string_view x, std::string_view y) {
  const std::size_t size = curve == KeyType::p384 ? 48 : 32;
  if (x.size() != size || y.size() != size)
    return Error{"each coordinate of the EC key must have " + std::to_string(size) + " bytes"};
  std::string point(1, static_cast<char>(POINT_CONVERSION_UNCOMPRESSED));
  point.append(x).append(y);
  const ParamBuilderOwner builder(OSSL_PARAM_BLD_new());
  const char* const group = curve == KeyType::p384 ? SN_secp384r1 : SN_X9_62_prime256v1;
  Owner key;
  if (builder && OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) ==
          1)
    key.reset(key_from("EC", builder.get()).release());
  ERR_clear_error();
  if (!key) return Error{"the point of the EC key is not on its curve"};
  return checked(std::move(key));
}

base::Result<PublicKey> PublicKey::from_ed25519(std::string_view x) {
  if (x.size() != ed25519_bytes) return Error{"an Ed25519 key has 32 bytes"};
  Owner key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, bytes_of(x), x.size()));
  ERR_clear_error();
  if (!key) return Error{"the Ed25519 key is not valid"};
  return checked(std::move(key));
}

}  // namespace roomcast::jose
