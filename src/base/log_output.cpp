#include "base/log_output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string>

namespace roomcast::base {
namespace {

/// A non-blocking open file description of our own for the file of `fd`; negative if there can be none.
int reopen(int fd, const struct stat& status) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const int own = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (own < 0) return own;
  struct stat reopened {};
  if (::fstat(own, &reopened) == 0 && reopened.st_dev == status.st_dev && reopened.st_ino == status.st_ino)
    return own;
  ::close(own);
  return -1;
}

bool names_stream(const char* journal_stream, const struct stat& status) {
  return journal_stream != nullptr &&
         std::to_string(status.st_dev) + ':' + std::to_string(status.st_ino) == journal_stream;
}

}  // namespace

DescriptorOutput::DescriptorOutput(int fd) : fd_(fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return;
  is_journal_ = names_stream(std::getenv("JOURNAL_STREAM"), status);  // NOLINT(concurrency-mt-unsafe)
  if (S_ISSOCK(status.st_mode)) {
    way_ = Way::socket;
  } else if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
    const int own = reopen(fd, status);
    way_ = own < 0 ? Way::polled : Way::reopened;
    if (own >= 0) fd_ = own;
  }
}

DescriptorOutput::~DescriptorOutput() {
  if (way_ == Way::reopened) ::close(fd_);
}

std::optional<std::size_t> DescriptorOutput::write(std::string_view bytes) {
  if (way_ == Way::polled) {
    if (!wait(0)) return 0;
    bytes = bytes.substr(0, PIPE_BUF);
  }
  ssize_t taken = 0;
  do {
    taken = way_ == Way::socket ? ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                : ::write(fd_, bytes.data(), bytes.size());
  } while (taken < 0 && errno == EINTR);
  if (taken >= 0) return static_cast<std::size_t>(taken);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
  return std::nullopt;
}

bool DescriptorOutput::wait(int ms) {
  pollfd waiting{fd_, POLLOUT, 0};
  // An error counts as ready: the write returns it.
  return ::poll(&waiting, 1, ms) > 0;
}

}  // namespace roomcast::base
