#include "auth/verified_tokens.h"

#include "base/digest.h"
#include "base/string_hash.h"

namespace roomcast::auth {

namespace {

/// A token is found by its signature, which is shorter than all of it and no less its own.
std::size_t hash_of_signature(std::string_view token) {
  return base::StringHash()(token.substr(token.rfind('.') + 1));
}

}  // namespace

const access::Identity* VerifiedTokens::find(std::string_view token, std::int64_t now_s) const {
  if (table_.empty()) return nullptr;
  const std::size_t hash = hash_of_signature(token);
  const Entry& entry = table_[hash % entries];
  if (entry.hash != hash || entry.identity.is_anonymous()) return nullptr;
  if (entry.until_s != 0 && entry.until_s <= now_s) return nullptr;
  return entry.digest == base::sha256(token) ? &entry.identity : nullptr;
}

void VerifiedTokens::insert(std::string_view token, const access::Identity& identity, std::int64_t until_s) {
  if (identity.held_bytes() > identity_bytes_max) return;
  if (table_.empty()) table_.resize(entries);
  const std::size_t hash = hash_of_signature(token);
  Entry& entry = table_[hash % entries];
  if (entry.hash != hash) {
    entry = {};
    entry.hash = hash;
  } else {
    entry = {hash, base::sha256(token), identity, until_s};
  }
}

void VerifiedTokens::clear() { table_ = {}; }

}  // namespace roomcast::auth
