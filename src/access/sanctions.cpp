#include "access/sanctions.h"

#include <algorithm>
#include <ctime>

namespace roomcast::access {

namespace {

using base::Refusal;
using Kind = Sanction::Kind;

// Nodes and entries of the containers, with what the allocator adds.
constexpr std::size_t fixed_bytes = 384;

std::size_t bytes_of(const Sanction& sanction, const base::NamePattern& rooms, const std::string& key) {
  return fixed_bytes + sizeof(Sanction) + sanction.user.size() + sanction.token_id.size() +
         sanction.rooms.size() + sanction.reason.size() + sanction.by.size() + key.size() +
         rooms.held_bytes();
}

std::string sentence(const Sanction& sanction) {
  std::string text = sanction.kind == Kind::ban ? "banned" : "muted";
  if (sanction.rooms != "**") text += " in " + sanction.rooms;
  if (sanction.until_s != 0) text += " until " + utc_text(sanction.until_s);
  if (!sanction.reason.empty()) text += ": " + sanction.reason;
  return text;
}

Refusal keeper_busy() {
  return {Refusal::Code::store_busy, "store.queue_bytes is used up at the moment: nothing has changed"};
}

}  // namespace

std::string utc_text(std::int64_t unix_s) {
  const auto time = static_cast<std::time_t>(unix_s);
  std::tm parts{};
  std::array<char, 48> text{};
  if (gmtime_r(&time, &parts) == nullptr) return std::to_string(unix_s);
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

// --- Keys of subjects: the kind, what it is of, and that ---

std::string Sanctions::subject_key(Kind kind, std::string_view user) {
  std::string key{static_cast<char>('0' + static_cast<int>(kind)), 'u'};
  return key.append(user);
}

std::string Sanctions::address_key(Kind kind, const base::AddressBits& bits, int prefix_bits) {
  std::string key{static_cast<char>('0' + static_cast<int>(kind)), 'a', static_cast<char>(prefix_bits)};
  for (const std::uint8_t byte : bits)
    key += static_cast<char>(byte);
  return key;
}

std::string Sanctions::token_key(std::string_view token_id) {
  std::string key{static_cast<char>('0' + static_cast<int>(Kind::revocation)), 't'};
  return key.append(token_id);
}

std::string Sanctions::key_of(const Sanction& sanction) {
  if (sanction.address)
    return address_key(sanction.kind, sanction.address->bits, sanction.address->prefix_bits);
  return sanction.token_id.empty() ? subject_key(sanction.kind, sanction.user) : token_key(sanction.token_id);
}

// --- Adding and lifting ---

Sanctions::Entry* Sanctions::find(const std::string& key, std::string_view rooms) const {
  const auto* const subject = subjects_.find(key);
  if (subject == nullptr) return nullptr;
  const auto found = std::find_if(subject->second.begin(), subject->second.end(),
                                  [rooms](const Entry* entry) { return entry->sanction.rooms == rooms; });
  return found == subject->second.end() ? nullptr : *found;
}

std::optional<Refusal> Sanctions::check_space(const Sanction& sanction) const {
  const std::string key = key_of(sanction);
  const std::size_t bytes = bytes_of(sanction, base::NamePattern(sanction.rooms), key);
  const Entry* const old = find(key, sanction.rooms);
  const std::size_t freed = old == nullptr ? 0 : old->bytes;
  if (bytes_ - freed + bytes > limit_) {
    return Refusal{Refusal::Code::overloaded,
                   "limits.sanctions_bytes is used up: lift some bans, mutes or revocations, or raise it"};
  }
  const auto* const subject = subjects_.find(key);
  if (old == nullptr && subject != nullptr && subject->second.size() >= per_subject_max) {
    return base::bad_request("there are " + std::to_string(per_subject_max) +
                             " of them for one user or address: use a pattern");
  }
  return std::nullopt;
}

base::Result<Sanctions::Id, Refusal> Sanctions::add(Sanction sanction) {
  if (auto refusal = check_space(sanction)) return *std::move(refusal);
  const std::string key = key_of(sanction);
  Entry* const old = find(key, sanction.rooms);
  // It keeps its id, so that a list that is being read does not show it twice.
  const Id id = old == nullptr ? last_id_ + 1 : old->id;
  if (keeper_ != nullptr && !keeper_->keep(id, sanction)) return keeper_busy();
  if (old != nullptr) erase(*old);
  base::NamePattern rooms(sanction.rooms);
  insert(id, std::move(sanction), key, std::move(rooms));
  return id;
}

Sanctions::Id Sanctions::put(Id id, Sanction sanction) {
  drop(sanction);
  const std::string key = key_of(sanction);
  base::NamePattern rooms(sanction.rooms);
  if (entries_.count(id) != 0) id = last_id_ + 1;
  insert(id, std::move(sanction), key, std::move(rooms));
  return id;
}

void Sanctions::drop(const Sanction& like) {
  Entry* const entry = find(key_of(like), like.rooms);
  if (entry != nullptr) erase(*entry);
}

bool Sanctions::restore(Id id, Sanction sanction) {
  const std::string key = key_of(sanction);
  if (entries_.count(id) != 0 || find(key, sanction.rooms) != nullptr) return false;
  base::NamePattern rooms(sanction.rooms);
  insert(id, std::move(sanction), key, std::move(rooms));
  return true;
}

void Sanctions::insert(Id id, Sanction sanction, const std::string& key, base::NamePattern rooms) {
  const std::size_t bytes = bytes_of(sanction, rooms, key);
  ++counts_[static_cast<std::size_t>(sanction.kind)];
  if (sanction.address) ++prefixes_[sanction.address->prefix_bits];
  if (sanction.until_s != 0) ends_.emplace(sanction.until_s, id);
  auto made = std::make_unique<Entry>(Entry{id, std::move(sanction), std::move(rooms), bytes});
  subjects_.try_emplace(key).first.second.push_back(made.get());
  entries_.emplace(id, std::move(made));
  bytes_ += bytes;
  last_id_ = std::max(last_id_, id);
}

base::Result<bool, Refusal> Sanctions::remove(const Sanction& like) {
  Entry* const entry = find(key_of(like), like.rooms);
  if (entry == nullptr) return false;
  if (keeper_ != nullptr && !keeper_->drop(entry->sanction)) return keeper_busy();
  erase(*entry);
  return true;
}

void Sanctions::erase(Entry& entry) {
  const Sanction& sanction = entry.sanction;
  auto* const subject = subjects_.find(key_of(sanction));
  std::erase(subject->second, &entry);
  if (subject->second.empty()) subjects_.erase(*subject);
  if (sanction.address) {
    const auto prefix = prefixes_.find(sanction.address->prefix_bits);
    if (--prefix->second == 0) prefixes_.erase(prefix);
  }
  if (sanction.until_s != 0) ends_.erase({sanction.until_s, entry.id});
  bytes_ -= entry.bytes;
  --counts_[static_cast<std::size_t>(sanction.kind)];
  entries_.erase(entry.id);
}

bool Sanctions::expire(std::int64_t now_s, std::size_t most) {
  for (; !ends_.empty() && ends_.begin()->first <= now_s; --most) {
    if (most == 0) return true;
    Entry& entry = *entries_.at(ends_.begin()->second);
    if (keeper_ != nullptr) (void)keeper_->drop(entry.sanction);
    erase(entry);
  }
  return false;
}

std::optional<Sanctions::Id> Sanctions::list(Kind kind, Id after, std::size_t most,
                                             const std::function<void(Id, const Sanction&)>& visit) const {
  std::size_t looks = most * 10;
  Id last = after;
  for (auto at = entries_.upper_bound(after); at != entries_.end(); ++at) {
    if (most == 0 || looks-- == 0) return last;
    last = at->first;
    if (at->second->sanction.kind != kind) continue;
    visit(last, at->second->sanction);
    --most;
  }
  return std::nullopt;
}

// --- Checks ---

const Sanctions::Entry* Sanctions::match(const std::string& key, std::optional<std::string_view> room) const {
  const auto* const subject = subjects_.find(key);
  if (subject == nullptr) return nullptr;
  for (const Entry* const entry : subject->second) {
    if (entry->sanction.rooms == "**" || (room && entry->rooms.matches(*room))) return entry;
  }
  return nullptr;
}

const Sanctions::Entry* Sanctions::match_address(Kind kind, std::string_view address,
                                                 std::optional<std::string_view> room) const {
  if (prefixes_.empty()) return nullptr;
  const auto bits = base::address_bits(address);
  if (!bits) return nullptr;
  for (const auto& [prefix_bits, count] : prefixes_) {
    const base::AddressBlock block{base::masked(*bits, prefix_bits), prefix_bits};
    if (!block.contains(*bits)) continue;  // an IPv6 block as wide as ::/0 does not contain IPv4
    if (const Entry* const found = match(address_key(kind, block.bits, prefix_bits), room)) return found;
  }
  return nullptr;
}

std::optional<Refusal> Sanctions::check(Kind kind, const Identity& identity, std::string_view address,
                                        std::optional<std::string_view> room) const {
  if (identity.kind() == access::Kind::key) return std::nullopt;
  const Entry* found = identity.is_anonymous() ? nullptr : match(subject_key(kind, identity.id()), room);
  if (found == nullptr) found = match_address(kind, address, room);
  if (found == nullptr) return std::nullopt;
  return Refusal{kind == Kind::ban ? Refusal::Code::banned : Refusal::Code::muted, sentence(found->sanction)};
}

std::optional<Refusal> Sanctions::find_revocation(const Identity& identity) const {
  // A proxy's word and an API key are no tokens.
  if (identity.proof() != Proof::token && identity.proof() != Proof::cookie) return std::nullopt;
  if (!identity.token_id().empty() && match(token_key(identity.token_id()), std::nullopt) != nullptr)
    return Refusal{Refusal::Code::token_revoked, "the token has been revoked"};
  if (identity.kind() != access::Kind::user) return std::nullopt;
  const Entry* const found = match(subject_key(Kind::revocation, identity.id()), std::nullopt);
  if (found == nullptr || identity.issued_s() >= found->sanction.issued_before_s) return std::nullopt;
  return Refusal{
      Refusal::Code::token_revoked,
      "tokens of this user issued before " + utc_text(found->sanction.issued_before_s) + " are revoked"};
}

}  // namespace roomcast::access
