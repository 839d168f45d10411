#include "store/store_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "store/archive.h"
#include "store/journal.h"

namespace roomcast::store {

namespace {

/// A descriptor that is closed at the end.
class OpenedFile {
 public:
  OpenedFile(const std::string& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  OpenedFile(const OpenedFile&) = delete;
  OpenedFile& operator=(const OpenedFile&) = delete;
  ~OpenedFile() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

std::string reason(int error) {
  const std::string text = std::generic_category().message(error);
  return error == EACCES || error == EPERM ? text + "; run the command as the user that the server runs as"
                                           : text;
}

/// 0, or why the file can't be looked at (errno).
int status_of(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 ? 0 : errno;
}

base::Result<Database, Fault> open_to_read(const std::string& path, std::uint32_t application_id) {
  if (const int error = status_of(path); error != 0)
    return Fault{error == ENOENT ? Fault::Code::corrupt : Fault::Code::io,
                 path + ": " + std::generic_category().message(error)};
  Database::Options options;
  options.path = path;
  options.application_id = application_id;
  options.is_writable = false;
  return Database::open(options);
}

std::optional<Fault> check_format(Database& database, std::string_view sql, std::int64_t known) {
  const base::Result<std::int64_t, Fault> found = database.number(sql);
  if (!found) return found.error();
  if (*found >= 1 && *found <= known) return std::nullopt;
  return Fault{Fault::Code::other, database.path() + ": its format is " + std::to_string(*found) +
                                       ", and this version of roomcast knows those up to " +
                                       std::to_string(known) +
                                       ": use the version that wrote it, or a newer one"};
}

}  // namespace

std::optional<base::Error> check_store_is_there(const std::string& directory) {
  for (const char* name : {"/history.db", "/journal.db"}) {
    const int error = status_of(directory + name);
    if (error == 0) return std::nullopt;
    if (error != ENOENT && error != ENOTDIR)
      return base::Error{"cannot read " + directory + name + ": " + reason(error)};
  }
  return base::Error{"there is no store in " + directory + ": it has neither history.db nor journal.db"};
}

std::optional<std::string> user_of_store(const std::string& directory) {
  const OpenedFile lock(directory + "/lock", O_RDONLY);
  if (lock.number() < 0 || ::flock(lock.number(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
    return std::nullopt;
  std::array<char, 32> text{};
  const ssize_t size = ::pread(lock.number(), text.data(), text.size(), 0);
  const std::string_view found(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::string_view number = found.substr(0, found.find('\n'));
  return number.empty() ? "another process" : "process " + std::string(number);
}

base::Result<Directory> lock_store(const std::string& directory) {
  if (std::optional<base::Error> error = check_store_is_there(directory)) return std::move(*error);
  if (const std::optional<std::string> user = user_of_store(directory)) {
    return base::Error{directory + " is in use by " + *user +
                       ": stop it first. stats, check, export and backup also work while it runs"};
  }
  return Directory::open(directory);
}

std::optional<base::Error> make_empty_directory(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) == 0) return std::nullopt;
  if (errno != EEXIST) return base::Error{"cannot make the directory " + directory + ": " + reason(errno)};
  std::error_code error;
  const bool is_empty = std::filesystem::is_empty(directory, error);
  if (error) return base::Error{"cannot read " + directory + ": " + reason(error.value())};
  if (!std::filesystem::is_directory(directory, error) || error)
    return base::Error{directory + " is not a directory"};
  if (!is_empty) return base::Error{directory + " is not empty: name a directory that is, or a new one"};
  if (::access(directory.c_str(), W_OK | X_OK) != 0)
    return base::Error{"cannot write in " + directory + ": " + reason(errno)};
  return std::nullopt;
}

base::Result<Database, Fault> open_journal_to_read(const std::string& directory) {
  base::Result<Database, Fault> database = open_to_read(directory + "/journal.db", Journal::application_id);
  if (!database) return std::move(database.error());
  if (std::optional<Fault> fault = check_format(*database, "PRAGMA user_version", Journal::format))
    return std::move(*fault);
  return database;
}

base::Result<Database, Fault> open_history_to_read(const std::string& directory) {
  base::Result<Database, Fault> database = open_to_read(directory + "/history.db", Archive::application_id);
  if (!database) return std::move(database.error());
  if (std::optional<Fault> fault =
          check_format(*database, "SELECT value FROM meta WHERE key='format'", Archive::format))
    return std::move(*fault);
  return database;
}

base::Error command_error(const Fault& fault) {
  std::string message = fault.message;
  switch (fault.code) {
    case Fault::Code::full:
      message += "; make space on the disk";
      break;
    case Fault::Code::corrupt:
      message +=
          "; `roomcast store check` says what is damaged, and `roomcast store recover DIR` saves what is "
          "whole into a new store";
      break;
    case Fault::Code::readonly:
      message +=
          "; SQLite has to write beside the databases even to read them: run the command as the user that "
          "the server runs as, and on a copy where the file system is read-only";
      break;
    default:
      break;
  }
  return {std::move(message)};
}

std::optional<base::Error> sync_path(const std::string& path) {
  const OpenedFile file(path, O_RDONLY);
  if (file.number() >= 0 && ::fsync(file.number()) == 0) return std::nullopt;
  return base::Error{"cannot write " + path + " to the disk: " + reason(errno)};
}

}  // namespace roomcast::store
