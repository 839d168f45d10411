#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "access/identity.h"

namespace roomcast::auth {

/// Remembers tokens that were verified, so that a client that shows the same token with every request has it
/// verified once or twice: a token that is shown a second time is kept with its SHA-256, of the first time
/// only a keyed hash, since most tokens are shown once. At most `entries` of them, each with an identity of
/// at most `identity_bytes_max`: 2.5 MiB in all. A token takes the place of another one with a similar hash.
class VerifiedTokens {
 public:
  static constexpr std::size_t entries = 4'096;
  static constexpr std::size_t identity_bytes_max = 512;

  /// Null if it is not known, or has expired by `now_s`.
  [[nodiscard]] const access::Identity* find(std::string_view token, std::int64_t now_s) const;
  /// `until_s`: when the token expires with the leeway for it; 0: never.
  void insert(std::string_view token, const access::Identity& identity, std::int64_t until_s);
  /// Keys have changed.
  void clear();

 private:
  struct Entry {
    std::size_t hash = 0;
    std::array<unsigned char, 32> digest{};
    access::Identity identity;  // anonymous: the token was shown once
    std::int64_t until_s = 0;
  };

  std::vector<Entry> table_;  // allocated with the first token
};

}  // namespace roomcast::auth
