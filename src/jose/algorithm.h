#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace roomcast::jose {

/// A signature algorithm of RFC 7518 section 3.1 or RFC 8037, as the header parameter `alg` names it.
enum class Algorithm : std::uint8_t {
  hs256,
  hs384,
  hs512,
  rs256,
  rs384,
  rs512,
  ps256,
  es256,
  es384,
  eddsa,  ///< with Ed25519 only
  count_,
};

/// The algorithm of that name, which is case-sensitive; nothing if it is not supported. `none` never is.
[[nodiscard]] std::optional<Algorithm> algorithm_from(std::string_view name);
[[nodiscard]] std::string_view to_string(Algorithm algorithm);

/// The kinds of keys. No two of them share an algorithm, which is why a public key can never be taken for the
/// secret of an HMAC.
enum class KeyType : std::uint8_t { secret, rsa, p256, p384, ed25519 };

/// What an algorithm consists of.
struct AlgorithmInfo {
  std::string_view name;
  KeyType key;
  const char* hash;        ///< OpenSSL's name of the hash; null for EdDSA, which hashes by itself
  std::size_t hash_bytes;  ///< length of the hash; 0 for EdDSA
};
[[nodiscard]] const AlgorithmInfo& describe(Algorithm algorithm);

/// A set of algorithms.
class AlgorithmSet {
 public:
  constexpr AlgorithmSet() = default;
  constexpr AlgorithmSet(std::initializer_list<Algorithm> algorithms) {
    for (const Algorithm algorithm : algorithms)
      add(algorithm);
  }
  /// All algorithms that keys of this type can be used with.
  [[nodiscard]] static AlgorithmSet of(KeyType key);

  constexpr void add(Algorithm algorithm) { bits_ |= bit(algorithm); }
  [[nodiscard]] constexpr bool has(Algorithm algorithm) const { return (bits_ & bit(algorithm)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  /// The algorithms that are in both sets.
  [[nodiscard]] constexpr AlgorithmSet operator&(AlgorithmSet other) const {
    return AlgorithmSet(bits_ & other.bits_);
  }
  /// The algorithms of this set that are not in `other`.
  [[nodiscard]] constexpr AlgorithmSet operator-(AlgorithmSet other) const {
    return AlgorithmSet(bits_ & ~other.bits_);
  }
  friend constexpr bool operator==(AlgorithmSet, AlgorithmSet) = default;

 private:
  explicit constexpr AlgorithmSet(unsigned bits) : bits_(bits) {}
  static constexpr unsigned bit(Algorithm algorithm) { return 1U << static_cast<unsigned>(algorithm); }

  unsigned bits_ = 0;
};

/// The names, separated by a comma and a space.
[[nodiscard]] std::string to_string(AlgorithmSet algorithms);

}  // namespace roomcast::jose
