#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace roomcast::base {

/// The key of a SipHash.
struct SipKey {
  std::uint64_t low = 0;   ///< the first eight bytes, little-endian
  std::uint64_t high = 0;  ///< the last eight bytes
};

/// SipHash-1-3 (Aumasson and Bernstein 2012, with fewer rounds), for hash tables: without the key it is
/// infeasible to find texts with equal hashes.
[[nodiscard]] std::uint64_t siphash13(const SipKey& key, std::string_view text);
/// SipHash-2-4, for which test vectors are published.
[[nodiscard]] std::uint64_t siphash24(const SipKey& key, std::string_view text);

/// The hash of all unordered containers whose keys are strings (tests/tidy checks that). Most keys are chosen
/// by clients: room names, idempotency keys, addresses. The hash has a random key for each process, so that
/// colliding names cannot be prepared. Also enables look-up by std::string_view without constructing a
/// string.
struct StringHash {
  using is_transparent = void;
  // Not noexcept: libstdc++ then caches the hash of each entry instead of recomputing it as a map grows.
  std::size_t operator()(std::string_view text) const;
};

}  // namespace roomcast::base
