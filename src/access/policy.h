#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/identity.h"
#include "access/permission.h"
#include "access/row.h"
#include "base/refusal.h"
#include "base/result.h"

namespace roomcast::access {

/// What an identity may do in a room, and why.
struct Decision {
  enum class By : std::uint8_t {
    no_rows,     ///< there are no rows at all: everybody may what an ordinary participant may
    row,         ///< the first row that matches
    no_match,    ///< rows, and none matches
    other_room,  ///< the token is a ticket for another room
  };
  PermissionSet may;  ///< with what the identity brings along
  By by = By::no_rows;
  std::optional<std::size_t> row{};  ///< its index, from 0
  PermissionSet granted{};           ///< what the identity brings along: claims of a token, the line of a key
};

/// Who may do what in which rooms: the rows of `access`, in order, and what an identity brings along. The
/// first row that matches the room and the identity decides; claims of a token and the line of a key add to
/// it. Without any row everybody may what an ordinary participant may, except that a key may what its line
/// says, and a ticket is good for its room alone.
class Policy {
 public:
  /// No rows.
  Policy() = default;
  /// An error names the row and what is wrong with it.
  static base::Result<Policy> make(const std::vector<Row>& rows);

  [[nodiscard]] Decision decide(const Identity& identity, std::string_view room) const;
  [[nodiscard]] bool permits(const Identity& identity, Permission permission, std::string_view room) const;
  /// Why `identity` may not, if so: `unauthorized` for an anonymous client, `forbidden` for others.
  [[nodiscard]] std::optional<base::Refusal> check(const Identity& identity, Permission permission,
                                                   std::string_view room) const;
  /// The same for what concerns the whole server: a row, claim or key whose pattern is `**` has to permit it.
  [[nodiscard]] std::optional<base::Refusal> check_everywhere(const Identity& identity,
                                                              Permission permission) const;

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }

 private:
  std::vector<Row> rows_;
};

}  // namespace roomcast::access
