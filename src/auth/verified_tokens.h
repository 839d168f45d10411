#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "access/identity.h"

namespace roomcast::auth {

/// Remembers tokens that were verified by their digests, so that a client that shows the same token with
/// every request has it verified once. At most `entries` of them, each with an identity of at most
/// `identity_bytes_max`: 2.5 MiB in all. A token takes the place of another one whose digest is similar.
class VerifiedTokens {
 public:
  using Digest = std::array<unsigned char, 32>;
  static constexpr std::size_t entries = 4'096;
  static constexpr std::size_t identity_bytes_max = 512;

  /// Null if it is not known, or has expired by `now_s`.
  [[nodiscard]] const access::Identity* find(const Digest& digest, std::int64_t now_s) const;
  /// `until_s`: when the token expires with the leeway for it; 0: never.
  void insert(const Digest& digest, access::Identity identity, std::int64_t until_s);
  /// Keys have changed.
  void clear();

 private:
  struct Entry {
    Digest digest{};
    access::Identity identity;
    std::int64_t until_s = 0;
  };
  [[nodiscard]] static std::size_t place_of(const Digest& digest);

  std::vector<Entry> table_;  // allocated with the first token
};

}  // namespace roomcast::auth
