#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/users_file.h"
#include "base/result.h"

namespace roomcast::auth {

/// The text of a users file. Blocks: a file of at most 1 MiB is read at once.
[[nodiscard]] base::Result<std::string> read_users_text(const std::string& path);

/// Changes a users file as a whole: whoever reads it sees it as it was or as it is afterwards, also if the
/// machine stops in between. Holds a lock meanwhile, so that changes follow each other; servers that read the
/// file need none. For the command line: waits for the lock for up to 10 s.
class UsersFileEdit {
 public:
  /// Locks the file, after creating it if `may_create`, and reads it. An error names the file.
  static base::Result<UsersFileEdit> open(const std::string& path, bool may_create);
  UsersFileEdit(UsersFileEdit&& other) noexcept;
  UsersFileEdit& operator=(UsersFileEdit&&) = delete;
  UsersFileEdit(const UsersFileEdit&) = delete;
  ~UsersFileEdit();

  [[nodiscard]] const Users& users() const { return users_; }
  /// Puts `user` in the place of the one with its id, or behind all others. Other lines stay as they are.
  void put(const User& user);
  /// Removes the line of that user.
  void remove(std::string_view id);
  /// Writes the file: next to it first, then in its place, with its owner and its permissions less those of
  /// others; 0600 if it is new.
  [[nodiscard]] std::optional<base::Error> save();

 private:
  UsersFileEdit(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  void replace_line(std::string_view id, std::string_view line);

  std::string path_;  // of the file itself, not of a link to it
  int descriptor_;    // locked
  std::string text_;
  Users users_;
};

}  // namespace roomcast::auth
