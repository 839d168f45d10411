#include "auth/verified_tokens.h"

#include <utility>

namespace roomcast::auth {

std::size_t VerifiedTokens::place_of(const Digest& digest) {
  constexpr unsigned bits_of_byte = 8;
  return (static_cast<std::size_t>(digest[0]) << bits_of_byte | digest[1]) % entries;
}

const access::Identity* VerifiedTokens::find(const Digest& digest, std::int64_t now_s) const {
  if (table_.empty()) return nullptr;
  const Entry& entry = table_[place_of(digest)];
  if (entry.identity.is_anonymous() || entry.digest != digest) return nullptr;
  if (entry.until_s != 0 && entry.until_s <= now_s) return nullptr;
  return &entry.identity;
}

void VerifiedTokens::insert(const Digest& digest, access::Identity identity, std::int64_t until_s) {
  if (identity.held_bytes() > identity_bytes_max) return;
  if (table_.empty()) table_.resize(entries);
  table_[place_of(digest)] = {digest, std::move(identity), until_s};
}

void VerifiedTokens::clear() { table_ = {}; }

}  // namespace roomcast::auth
