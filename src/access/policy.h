#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/decision_cache.h"
#include "access/identity.h"
#include "access/permission.h"
#include "access/row.h"
#include "access/row_index.h"
#include "base/refusal.h"
#include "base/result.h"

namespace roomcast::access {

/// What an identity may do in a room, and why.
struct Decision {
  enum class By : std::uint8_t {
    no_rows,     ///< there are no rows at all: everybody but keys may what an ordinary participant may
    row,         ///< the first row that matches
    no_match,    ///< rows, and none matches
    ticket,      ///< the token is a ticket for this room, and says what it is good for
    other_room,  ///< the token is a ticket for another room
  };
  PermissionSet may;  ///< with what the identity brings along
  By by = By::no_rows;
  std::optional<std::size_t> row{};  ///< its index, from 0
  PermissionSet granted{};           ///< what the identity brings along: claims of a token, the line of a key
};

/// Who may do what in which rooms: the rows of `access`, in order, and what an identity brings along.
///
/// - The first row that matches the room and the identity decides; claims of a token and the line of a key
///   add to it. What no row matches is not permitted.
/// - Without any row everybody may what an ordinary participant may, but a key only what its line says.
/// - A ticket (Identity::only_room) is good for its room alone, for what its claims say or else for what an
///   ordinary participant may, whatever the rows.
///
/// A decision is remembered for the next time that the same identity asks for the same room. One that is not
/// takes a search among the rows' literal prefixes, and then the rows whose prefixes match, one by one.
/// To be used by one thread.
class Policy {
 public:
  /// No rows.
  Policy() = default;
  /// An error names the row and what is wrong with it.
  static base::Result<Policy> make(const std::vector<Row>& rows);

  [[nodiscard]] Decision decide(const Identity& identity, std::string_view room) const;
  /// For what concerns the whole server: only rows, claims and lines of keys whose pattern is `**` count.
  [[nodiscard]] Decision decide_everywhere(const Identity& identity) const;

  [[nodiscard]] bool permits(const Identity& identity, Permission permission, std::string_view room) const {
    if (rows_.empty() && identity.is_anonymous()) return PermissionSet::ordinary().has(permission);
    return remembered(identity, room).has(permission);
  }
  /// Why `identity` may not, if so: `unauthorized` for an anonymous client, `forbidden` for others.
  [[nodiscard]] std::optional<base::Refusal> check(const Identity& identity, Permission permission,
                                                   std::string_view room) const {
    if (permits(identity, permission, room)) return std::nullopt;
    return refusal(identity, permission, room);
  }
  /// The same for what concerns the whole server.
  [[nodiscard]] std::optional<base::Refusal> check_everywhere(const Identity& identity,
                                                              Permission permission) const;

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }

 private:
  [[nodiscard]] PermissionSet remembered(const Identity& identity, std::string_view room) const;
  [[nodiscard]] base::Refusal refusal(const Identity& identity, Permission permission,
                                      std::string_view room) const;

  std::vector<Row> rows_;
  std::vector<CompiledRow> compiled_;
  RowIndex index_;
  mutable DecisionCache cache_;
};

}  // namespace roomcast::access
