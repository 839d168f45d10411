#pragma once

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

}  // namespace roomcast::base
