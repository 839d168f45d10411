#include "auth/users_file_edit.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

namespace roomcast::auth {

namespace {

constexpr int lock_tries = 100;
constexpr useconds_t lock_pause_us = 100'000;
constexpr mode_t new_file_mode = 0600;
constexpr mode_t not_others = 0770;

base::Error system_error(const std::string& path, std::string_view what) {
  return {path + ": " + std::string(what) + ": " + std::strerror(errno)};
}

/// A descriptor that is closed with it.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

base::Result<std::string> read_all(int descriptor, const std::string& path) {
  std::string text(Users::file_bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::pread(descriptor, text.data() + size, text.size() - size, static_cast<off_t>(size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path, "cannot be read");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > Users::file_bytes_max) return base::Error{path + ": the users file is larger than 1 MiB"};
  text.resize(size);
  return text;
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Where `path` leads if it is a symbolic link, so that the link stays.
std::string resolve_links(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr), std::free);
  return resolved ? std::string(resolved.get()) : path;
}

/// Whether `path` still names the file that `descriptor` has open: a change puts another in its place.
bool is_current(int descriptor, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace

base::Result<std::string> read_users_text(const std::string& path) {
  // Not blocking: it may be a pipe by mistake.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return system_error(path, "cannot be opened");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error(path, "cannot be read");
  if (!S_ISREG(status.st_mode)) return base::Error{path + ": this is not a regular file"};
  return read_all(file.get(), path);
}

base::Result<UsersFileEdit> UsersFileEdit::open(const std::string& path, bool may_create) {
  const int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | (may_create ? O_CREAT : 0);
  for (int tries = 0; tries < lock_tries; ++tries) {
    Descriptor file(::open(path.c_str(), flags, new_file_mode));
    if (file.get() < 0) return system_error(path, "cannot be opened");
    const bool is_locked = ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;
    if (!is_locked && errno != EWOULDBLOCK && errno != EINTR) return system_error(path, "cannot be locked");
    if (is_locked && is_current(file.get(), path)) {
      UsersFileEdit edit(resolve_links(path), file.release());
      auto text = read_all(edit.descriptor_, path);
      if (!text) return text.error();
      auto users = Users::parse(*text);
      if (!users) return base::Error{path + ": " + users.error().message};
      edit.text_ = *std::move(text);
      edit.users_ = *std::move(users);
      return edit;
    }
    if (!is_locked) ::usleep(lock_pause_us);
  }
  return base::Error{path + ": another program has been changing it for 10 seconds"};
}

UsersFileEdit::UsersFileEdit(UsersFileEdit&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      text_(std::move(other.text_)),
      users_(std::move(other.users_)) {}

UsersFileEdit::~UsersFileEdit() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void UsersFileEdit::put(const User& user) { replace_line(user.id, to_line(user) + '\n'); }

void UsersFileEdit::remove(std::string_view id) { replace_line(id, {}); }

/// `line` with its end, or empty.
void UsersFileEdit::replace_line(std::string_view id, std::string_view line) {
  std::string head(id);
  head += ':';
  std::size_t at = 0;
  while (at < text_.size() && std::string_view(text_).substr(at, head.size()) != head)
    at = std::min(text_.find('\n', at), text_.size() - 1) + 1;
  if (at >= text_.size()) {
    if (!text_.empty() && text_.back() != '\n') text_ += '\n';
    text_ += line;
  } else {
    text_.replace(at, std::min(text_.find('\n', at), text_.size() - 1) + 1 - at, line);
  }
  if (auto users = Users::parse(text_)) users_ = *std::move(users);
}

std::optional<base::Error> UsersFileEdit::save() {
  if (text_.size() > Users::file_bytes_max) return base::Error{path_ + ": it would be larger than 1 MiB"};
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return system_error(path_, "cannot be read");
  std::string beside = path_ + ".XXXXXX";
  const Descriptor file(::mkostemp(beside.data(), O_CLOEXEC));
  if (file.get() < 0) return system_error(beside, "cannot be created");
  const bool is_written = ::fchown(file.get(), status.st_uid, status.st_gid) == 0 &&
                          ::fchmod(file.get(), status.st_mode & not_others) == 0 &&
                          write_all(file.get(), text_) && ::fsync(file.get()) == 0 &&
                          ::rename(beside.c_str(), path_.c_str()) == 0;
  if (!is_written) {
    const base::Error error = system_error(path_, "cannot be written");
    ::unlink(beside.c_str());
    return error;
  }
  const std::size_t slash = path_.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
  const Descriptor entry(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (entry.get() >= 0) (void)::fsync(entry.get());
  return std::nullopt;
}

}  // namespace roomcast::auth
