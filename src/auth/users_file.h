#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/password.h"
#include "base/result.h"
#include "base/string_hash.h"

namespace roomcast::auth {

/// One user, as a line of the users file has it.
struct User {
  std::string id;  ///< what is typed to sign in, and the id of access rules
  PasswordHash password;
  std::vector<std::string> roles;
  std::string name;  ///< for others to see; empty: the id
};

/// What is wrong with an id (1 to 100 letters, digits and . _ @ + -), a role (1 to 60 letters, digits and
/// . _ -) or a display name (UTF-8 of at most 100 bytes without control characters), if something is.
[[nodiscard]] std::optional<std::string> check_user_id(std::string_view id);
[[nodiscard]] std::optional<std::string> check_role(std::string_view role);
[[nodiscard]] std::optional<std::string> check_display_name(std::string_view name);

/// The line of `user`, without its end: "ID:PASSWORD:ROLE,ROLE:DISPLAY NAME".
[[nodiscard]] std::string to_line(const User& user);

/// The users of a file of lines (to_line). Empty lines and those that begin with '#' are comments. A display
/// name may contain colons.
class Users {
 public:
  /// An error names the line. `text` has at most `file_bytes_max` bytes, or that is the error.
  static base::Result<Users> parse(std::string_view text);

  /// The user with that very id, or null.
  [[nodiscard]] const User* find(std::string_view id) const;
  /// A user whose password costs what that of `id` might: `id` itself if there is one, else one that stands
  /// in for it, always the same. So the time that a sign-in takes does not tell which users there are. Null
  /// if there is none at all.
  [[nodiscard]] const User* find_or_stand_in(std::string_view id) const;
  [[nodiscard]] const std::vector<User>& all() const { return users_; }

  static constexpr std::size_t file_bytes_max = std::size_t{1} << 20U;
  static constexpr std::size_t roles_max = 32;

 private:
  std::vector<User> users_;  // in the order of the file
  std::unordered_map<std::string, std::size_t, base::StringHash, std::equal_to<>> places_;
};

}  // namespace roomcast::auth
