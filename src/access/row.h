#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "access/identity.h"
#include "access/permission.h"
#include "base/name_pattern.h"
#include "base/result.h"

namespace roomcast::access {

/// One row of `access`, as configured.
struct Row {
  std::string rooms;  ///< a pattern (base::NamePattern); `{user}` stands for the id of the user
  std::string who;    ///< "anyone", "user", "role:NAME", "user:ID", "key:NAME"
  PermissionSet may;
};

/// Whom a row is about.
class Who {
 public:
  /// An error says what is expected.
  static base::Result<Who> parse(std::string_view text);

  /// `anyone` is everybody, keys and anonymous clients too; `user` every user, but no key.
  [[nodiscard]] bool matches(const Identity& identity) const;

 private:
  enum class Kind : std::uint8_t { anyone, user, role, one_user, key };

  Who(Kind kind, std::string_view name) : kind_(kind), name_(name) {}

  Kind kind_;
  std::string name_;  // of the role, user or key
};

/// The rooms that a row is about. With `{user}` in it, the pattern stands for a different set of rooms for
/// each user, and for none for keys and anonymous clients.
///
/// The id is literal: a star in it is a star in the name of the room. An id with a slash is at more than one
/// level, which a pattern with stars could not tell from a level below another user's: it matches patterns
/// without stars only.
class RoomsOfRow {
 public:
  explicit RoomsOfRow(std::string_view pattern);

  [[nodiscard]] bool matches(const Identity& identity, std::string_view room) const;
  /// Whether it is all rooms there are.
  [[nodiscard]] bool is_everywhere() const;
  /// Names of rooms that match begin with this.
  [[nodiscard]] std::string_view literal_prefix() const { return prefix_; }

  static constexpr std::string_view user = "{user}";

 private:
  [[nodiscard]] bool matches_user(std::string_view id, std::string_view room) const;

  base::NamePattern before_;  // {user}; the whole pattern if it has none
  std::optional<base::NamePattern> after_;
  std::string prefix_;
};

/// A row, ready for use.
struct CompiledRow {
  Who who;
  RoomsOfRow rooms;
  PermissionSet may;
};

}  // namespace roomcast::access
