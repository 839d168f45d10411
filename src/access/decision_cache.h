#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/identity.h"
#include "access/permission.h"

namespace roomcast::access {

/// The latest decisions, by identity and room. A place for each remainder of the hash, so that a decision
/// displaces another one. At most some 120 KiB, and the identities of as many decisions are kept alive.
class DecisionCache {
 public:
  [[nodiscard]] std::optional<PermissionSet> find(const Identity& identity, std::string_view room) const {
    if (entries_.empty()) return std::nullopt;
    const Entry& entry = entries_[place_of(identity, room)];
    // The address of an identity is not given to another one while an entry holds it.
    if (entry.identity != identity || entry.room != room) return std::nullopt;
    return entry.may;
  }

  /// `room` is not empty.
  void remember(const Identity& identity, std::string_view room, PermissionSet may) {
    if (entries_.empty()) entries_.resize(size);
    Entry& entry = entries_[place_of(identity, room)];
    entry.identity = identity;
    entry.room = room;
    entry.may = may;
  }

 private:
  struct Entry {
    Identity identity;
    std::string room;  // empty: there is no decision yet
    PermissionSet may;
  };
  static constexpr std::size_t size = 512;

  // Clients choose names of rooms: colliding ones displace each other, and cost as much as without a cache.
  static std::size_t place_of(const Identity& identity, std::string_view room) {
    return (std::hash<std::string_view>()(room) ^ identity.hash()) % size;
  }

  std::vector<Entry> entries_;
};

}  // namespace roomcast::access
