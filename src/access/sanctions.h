#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/identity.h"
#include "base/address_block.h"
#include "base/name_map.h"
#include "base/name_pattern.h"
#include "base/refusal.h"
#include "base/result.h"

namespace roomcast::access {

/// What an operator has decided about a user, an address or a token.
struct Sanction {
  enum class Kind : std::uint8_t {
    ban,         ///< may neither join the rooms nor publish, read or ask there
    mute,        ///< may not publish there
    revocation,  ///< of a token, or of all tokens of a user that were issued before a time
    count_,
  };
  Kind kind = Kind::ban;
  // Exactly one of these three is given; a ban and a mute are not of a token, a revocation not of an address.
  std::string user;  ///< its id
  std::optional<base::AddressBlock> address{};
  std::string token_id;              ///< `jti`
  std::string rooms = "**";          ///< a pattern (base::NamePattern); "**": everywhere
  std::int64_t issued_before_s = 0;  ///< Unix time; of the revocation of a user
  std::int64_t until_s = 0;          ///< Unix time; 0: until it is lifted
  std::string reason{};              ///< for the client and for other operators; may be empty
  std::string by{};                  ///< the principal that has decided it
};

/// The bans, mutes and revocations that are in force. In memory: a restart forgets them unless there is a
/// keeper. Bounded in bytes: past the bound nothing more is taken, and nothing is forgotten for it.
///
/// Look-ups cost next to nothing while there are none, else a look-up by user and one for each length of
/// prefix among the addresses. They do not ask the time: `expire` is to be called about once a second.
class Sanctions {
 public:
  using Id = std::uint64_t;
  using Kind = Sanction::Kind;

  /// Those of one user or address, of one kind.
  static constexpr std::size_t per_subject_max = 100;

  /// Keeps them over a restart. Changes are written in the order of the calls and become durable later.
  class Keeper {
   public:
    /// Numbers of changes rise, but several may have the same one.
    using Change = std::uint64_t;

    class Listener {
     public:
      /// All changes up to this one will outlive the server. Never called from within keep or drop.
      virtual void on_kept(Change change) = 0;

     protected:
      ~Listener() = default;
    };

    /// Takes it down, in the place of what it has of the same kind for the same subject and rooms. False if
    /// there is no space for that at the moment.
    [[nodiscard]] virtual bool keep(Id id, const Sanction& sanction) = 0;
    /// Strikes it out; false as above.
    [[nodiscard]] virtual bool drop(const Sanction& like) = 0;
    /// The last change that was made.
    [[nodiscard]] virtual Change last_change() const = 0;
    /// `listener` outlives the keeper's last call.
    virtual void set_listener(Listener& listener) = 0;

   protected:
    ~Keeper() = default;
  };

  Sanctions() = default;
  Sanctions(const Sanctions&) = delete;
  Sanctions& operator=(const Sanctions&) = delete;

  /// limits.sanctions_bytes; applies to what is added.
  void set_limit(std::size_t bytes) { limit_ = bytes; }

  /// From now on all changes are kept; null: no longer. `keeper` is not owned.
  void set_keeper(Keeper* keeper) { keeper_ = keeper; }
  [[nodiscard]] Keeper* keeper() const { return keeper_; }

  /// Adds it, or puts it in the place of the one of the same kind for the same subject and rooms. Returns its
  /// id, or why there is no room for it.
  [[nodiscard]] base::Result<Id, base::Refusal> add(Sanction sanction);
  /// Why there is no room for it, if so.
  [[nodiscard]] std::optional<base::Refusal> check_space(const Sanction& sanction) const;
  /// Like add, for one that other servers have too: whatever the bound is, and past the keeper. It gets that
  /// id unless another has it. Returns its id.
  Id put(Id id, Sanction sanction);
  /// Like remove, for the same; nothing happens if there is none.
  void drop(const Sanction& like);
  /// Puts back one that has been kept, whatever the bound is now: it was within it once. False if another has
  /// its id, or is of the same kind for the same subject and rooms.
  [[nodiscard]] bool restore(Id id, Sanction sanction);
  /// Lifts the one of this kind, subject and rooms; false if there is none. The refusal: the keeper is busy,
  /// and nothing has changed.
  [[nodiscard]] base::Result<bool, base::Refusal> remove(const Sanction& like);
  /// The one with that id; null if it is not in force any more.
  [[nodiscard]] const Sanction* get(Id id) const {
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second->sanction;
  }
  /// Calls `visit` with at most `most` of one kind, those whose ids are greater than `after`, in the order of
  /// their ids; at most ten times as many are looked at. Returns the id after which to go on; nothing at the
  /// end.
  std::optional<Id> list(Kind kind, Id after, std::size_t most,
                         const std::function<void(Id, const Sanction&)>& visit) const;
  /// Drops those whose time is over, at most `most` of them. Returns whether there are more. What a busy
  /// keeper does not strike out is found to be over at the next start.
  bool expire(std::int64_t now_s, std::size_t most = 1'000);

  // `address`: numeric, "unix" or empty. Keys are not subject to sanctions of addresses.

  /// Why the client may not be in the room, if so; without a room: not anywhere.
  [[nodiscard]] std::optional<base::Refusal> check_ban(const Identity& identity, std::string_view address,
                                                       std::optional<std::string_view> room) const {
    if (count(Kind::ban) == 0) return std::nullopt;
    return check(Kind::ban, identity, address, room);
  }
  /// Why the client may not publish in the room, if so.
  [[nodiscard]] std::optional<base::Refusal> check_mute(const Identity& identity, std::string_view address,
                                                        std::string_view room) const {
    if (count(Kind::mute) == 0) return std::nullopt;
    return check(Kind::mute, identity, address, room);
  }
  /// Why the token that the identity was taken from is good no longer, if so.
  [[nodiscard]] std::optional<base::Refusal> revocation_of(const Identity& identity) const {
    if (count(Kind::revocation) == 0 || identity.is_anonymous()) return std::nullopt;
    return find_revocation(identity);
  }

  [[nodiscard]] std::size_t count(Kind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t limit() const { return limit_; }
  /// Whether any of them ends by itself.
  [[nodiscard]] bool has_ends() const { return !ends_.empty(); }

 private:
  struct Entry {
    Id id;
    Sanction sanction;
    base::NamePattern rooms;
    std::size_t bytes;
  };
  using Subject = std::vector<Entry*>;

  static std::string subject_key(Kind kind, std::string_view user);
  static std::string address_key(Kind kind, const base::AddressBits& bits, int prefix_bits);
  static std::string token_key(std::string_view token_id);
  static std::string key_of(const Sanction& sanction);

  [[nodiscard]] Entry* find(const std::string& key, std::string_view rooms) const;
  void insert(Id id, Sanction sanction, const std::string& key, base::NamePattern rooms);
  void erase(Entry& entry);
  [[nodiscard]] const Entry* match(const std::string& key, std::optional<std::string_view> room) const;
  [[nodiscard]] const Entry* match_address(Kind kind, std::string_view address,
                                           std::optional<std::string_view> room) const;
  [[nodiscard]] std::optional<base::Refusal> check(Kind kind, const Identity& identity,
                                                   std::string_view address,
                                                   std::optional<std::string_view> room) const;
  [[nodiscard]] std::optional<base::Refusal> find_revocation(const Identity& identity) const;

  Keeper* keeper_ = nullptr;
  std::size_t limit_ = std::size_t{16} << 20U;
  std::size_t bytes_ = 0;
  Id last_id_ = 0;
  std::map<Id, std::unique_ptr<Entry>> entries_;
  base::NameMap<Subject> subjects_;
  std::set<std::pair<std::int64_t, Id>> ends_;  // of those that end by themselves
  std::array<std::size_t, static_cast<std::size_t>(Kind::count_)> counts_{};
  std::map<int, std::size_t> prefixes_;  // lengths of the prefixes of addresses, each with how many have it
};

/// "2026-11-30T04:05:06Z".
[[nodiscard]] std::string utc_text(std::int64_t unix_s);

}  // namespace roomcast::access
