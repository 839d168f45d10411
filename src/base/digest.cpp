// SHA1_Init and the like are deprecated in OpenSSL 3 in favour of EVP, but stay in it.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <cstdlib>

namespace roomcast::base {
namespace {

// A digest can only fail if libcrypto itself is broken; a made-up result would be worse than aborting.

/// Fetched once: fetching an algorithm from a libcrypto provider takes longer than digesting a few bytes.
class Algorithm {
 public:
  explicit Algorithm(const char* name) : method_(EVP_MD_fetch(nullptr, name, nullptr)) {
    if (method_ == nullptr) std::abort();
  }
  Algorithm(const Algorithm&) = delete;
  Algorithm& operator=(const Algorithm&) = delete;
  ~Algorithm() { EVP_MD_free(method_); }
  [[nodiscard]] const EVP_MD* get() const { return method_; }

 private:
  EVP_MD* method_;
};

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr unsigned no_base64 = 64;

/// The six bits that each character encodes, or no_base64.
using Base64Bits = std::array<unsigned char, 256>;

constexpr Base64Bits make_base64_bits(std::string_view alphabet) {
  Base64Bits bits{};
  bits.fill(no_base64);
  for (unsigned i = 0; i < alphabet.size(); ++i)
    bits.at(static_cast<unsigned char>(alphabet[i])) = static_cast<unsigned char>(i);
  return bits;
}
constexpr Base64Bits base64_bits = make_base64_bits(base64_alphabet);
constexpr Base64Bits base64url_bits = make_base64_bits(base64url_alphabet);

/// Appends `bytes` in `alphabet`, without padding.
void append_digits(std::string& out, std::string_view bytes, std::string_view alphabet) {
  std::size_t at = out.size();
  out.resize(at + (bytes.size() * 4 + 2) / 3);
  const auto byte = [bytes](std::size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(bytes[i]));
  };
  const auto put = [&](unsigned group, unsigned digits) {
    for (unsigned i = 0; i < digits; ++i)
      out[at++] = alphabet[group >> (18 - 6 * i) & 63U];
  };
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3)
    put(byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2), 4);
  if (bytes.size() - i == 2) put(byte(i) << 16U | byte(i + 1) << 8U, 3);
  if (bytes.size() - i == 1) put(byte(i) << 16U, 2);
}

/// Decodes `digits`, which have no padding and are not one more than a multiple of four.
bool decode_digits(std::string_view digits, const Base64Bits& alphabet, std::string& out) {
  out.resize(digits.size() * 3 / 4);
  std::size_t at = 0;
  std::size_t size = 0;
  unsigned seen = 0;  // the bits of all digits: no_base64 is none of them
  // The 24 bits that begin with those of the next `count` digits.
  const auto take = [&](unsigned count) {
    unsigned group = 0;
    for (unsigned i = 0; i < count; ++i) {
      const unsigned bits = alphabet[static_cast<unsigned char>(digits[at++])];
      seen |= bits;
      group = group << 6U | bits;
    }
    return group << (24 - 6 * count);
  };
  const auto put = [&](unsigned group, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i)
      out[size++] = static_cast<char>(group >> (16 - 8 * i) & 255U);
  };
  while (digits.size() - at >= 4)
    put(take(4), 3);
  const auto rest = static_cast<unsigned>(digits.size() - at);
  const unsigned last = take(rest);
  const unsigned bytes = rest * 3 / 4;
  put(last, bytes);
  // With non-zero trailing bits two texts would decode to the same bytes.
  if ((seen & no_base64) != 0 || (last << 8 * bytes & 0xFFFFFFU) != 0) return out.clear(), false;
  return true;
}

}  // namespace

Sha1::Sha1() : state_(std::make_unique<SHA_CTX>()) {}

Sha1::~Sha1() = default;

std::array<unsigned char, 20> Sha1::digest(std::initializer_list<std::string_view> parts) {
  std::array<unsigned char, 20> out{};
  if (SHA1_Init(state_.get()) != 1) std::abort();
  for (const std::string_view part : parts) {
    if (SHA1_Update(state_.get(), part.data(), part.size()) != 1) std::abort();
  }
  if (SHA1_Final(out.data(), state_.get()) != 1) std::abort();
  return out;
}

std::array<unsigned char, 32> sha256(std::string_view bytes) {
  std::array<unsigned char, 32> out{};
  static const Algorithm algorithm("SHA256");
  if (EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, algorithm.get(), nullptr) != 1)
    std::abort();
  return out;
}

std::string sha256_hex(std::string_view bytes) {
  const auto hash = sha256(bytes);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(hash.size() * 2);
  for (const unsigned char byte : hash) {
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

void append_base64(std::string& out, std::string_view bytes) {
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  append_digits(out, bytes, base64_alphabet);
  out.append((3 - bytes.size() % 3) % 3, '=');
}

bool base64_decode(std::string_view text, std::string& out) {
  out.clear();
  if (text.size() % 4 != 0) return false;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
    ++padding;
  return decode_digits(text.substr(0, text.size() - padding), base64_bits, out);
}

void append_base64url(std::string& out, std::string_view bytes) {
  append_digits(out, bytes, base64url_alphabet);
}

bool base64url_decode(std::string_view text, std::string& out) {
  out.clear();
  // A single digit at the end holds less than a byte.
  if (text.size() % 4 == 1) return false;
  return decode_digits(text, base64url_bits, out);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::uint64_t random_u64() {
  std::array<unsigned char, sizeof(std::uint64_t)> bytes{};
  // Callers cannot continue without randomness.
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) std::abort();
  std::uint64_t value = 0;
  for (const unsigned char byte : bytes)
    value = value << 8U | byte;
  return value;
}

}  // namespace roomcast::base
