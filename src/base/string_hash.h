#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace roomcast::base {

/// The secret of a SipHash.
struct SipKey {
  std::uint64_t low = 0;   ///< its first eight bytes, little endian
  std::uint64_t high = 0;  ///< its last eight
};

/// SipHash-1-3 (Aumasson and Bernstein 2012, with fewer rounds): for hash tables. Who doesn't know the key
/// can't find texts with equal hashes.
[[nodiscard]] std::uint64_t siphash13(const SipKey& key, std::string_view text);
/// SipHash-2-4, the one whose test vectors are published: the same with more rounds.
[[nodiscard]] std::uint64_t siphash24(const SipKey& key, std::string_view text);

/// The hash of all unordered containers whose keys are texts (tests/tidy keeps it so). Strangers choose most
/// of them: names of rooms, keys, addresses. It depends on a key that is drawn once for each process, so that
/// nobody can prepare names that all fall together. Also lets such maps be searched by std::string_view
/// without making a string.
struct StringHash {
  using is_transparent = void;
  // Not noexcept: libstdc++ keeps the hash of every entry then, and doesn't compute it again as a map grows.
  std::size_t operator()(std::string_view text) const;
};

}  // namespace roomcast::base
