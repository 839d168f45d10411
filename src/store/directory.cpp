#include "store/directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>

#include "store/database.h"

namespace roomcast::store {

namespace {

base::Error system_error(const std::string& what, int error) {
  return {"store.path: " + what + ": " + std::strerror(error)};
}

/// The number of the process that has the lock, as it has written it down.
std::string holder(int lock) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(lock, text.data(), text.size(), 0);
  std::string found(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!found.empty() && found.back() == '\n')
    found.pop_back();
  return found.empty() || found.find_first_not_of("0123456789") != std::string::npos ? "another process"
                                                                                     : "process " + found;
}

/// Makes renames and new files in `directory` survive a power cut.
bool sync_directory(const std::string& directory) {
  const int number = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (number < 0) return false;
  const bool is_done = ::fsync(number) == 0;
  ::close(number);
  return is_done;
}

}  // namespace

base::Result<Directory> Directory::open(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return system_error("cannot make the directory " + path, errno);
  const std::string lock_path = path + "/lock";
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return system_error("cannot write in " + path + ": " + lock_path, errno);
  Directory directory(path, lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_error("cannot lock " + lock_path, errno);
    return base::Error{"store.path: " + path + " is in use by " + holder(lock) +
                       "; two servers cannot share a store"};
  }
  const std::string self = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock, 0) != 0 || ::pwrite(lock, self.data(), self.size(), 0) < 0) {
    // A full disk: the lock holds without the number.
    if (errno != ENOSPC && errno != EDQUOT) return system_error("cannot write " + lock_path, errno);
  }
  return directory;
}

Directory::Directory(Directory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

Directory& Directory::operator=(Directory&& other) noexcept {
  path_.swap(other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

Directory::~Directory() {
  // The file stays: who takes the lock of one that is being removed would have it for nothing.
  if (lock_ >= 0) ::close(lock_);
}

bool Directory::make_reserve() const {
  struct stat found {};
  const std::string path = reserve_path();
  if (::stat(path.c_str(), &found) == 0 && found.st_size == static_cast<off_t>(reserve_bytes) &&
      static_cast<std::uint64_t>(found.st_blocks) * 512 >= reserve_bytes)
    return true;
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return false;
  // The blocks are taken now: a file of zeros that were never written would reserve nothing.
  const bool is_made =
      ::posix_fallocate(file, 0, static_cast<off_t>(reserve_bytes)) == 0 && ::fsync(file) == 0;
  ::close(file);
  if (!is_made) ::unlink(path.c_str());
  return is_made;
}

bool Directory::drop_reserve() const { return ::unlink(reserve_path().c_str()) == 0; }

base::Result<std::string> Directory::set_aside(std::int64_t wall_ms) const {
  const std::time_t seconds = wall_ms / 1'000;
  std::tm utc{};
  std::array<char, 32> time{};
  if (::gmtime_r(&seconds, &utc) == nullptr ||
      std::strftime(time.data(), time.size(), "%Y%m%dT%H%M%SZ", &utc) == 0)
    return base::Error{"store.path: the clock gives no date"};
  const std::string base = path_ + "/corrupt-" + time.data();
  std::string to = base;
  for (int i = 2; ::mkdir(to.c_str(), 0700) != 0; ++i) {
    if (errno != EEXIST || i > 100) return system_error("cannot make the directory " + to, errno);
    to.resize(base.size());
    to.append("-").append(std::to_string(i));
  }
  for (const char* name :
       {"journal.db", "journal.db-wal", "journal.db-shm", "history.db", "history.db-wal", "history.db-shm"}) {
    const std::string from = path_ + "/" + name;
    if (::rename(from.c_str(), (to + "/" + name).c_str()) != 0 && errno != ENOENT)
      return system_error(std::string("cannot move ").append(from).append(" to ").append(to), errno);
  }
  if (!sync_directory(to) || !sync_directory(path_)) return system_error("cannot sync " + path_, errno);
  return to;
}

std::uint64_t Directory::bytes_on_disk() const {
  struct stat found {};
  std::uint64_t bytes = Database::bytes_on_disk(journal_path()) + Database::bytes_on_disk(history_path());
  if (::stat(reserve_path().c_str(), &found) == 0) bytes += static_cast<std::uint64_t>(found.st_blocks) * 512;
  return bytes;
}

}  // namespace roomcast::store
