#include "net/listening_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>

#include "net/address.h"

namespace roomcast::net {

namespace {

constexpr int backlog = 65'535;  // the kernel limits it to net.core.somaxconn

using BindError = ListeningSocket::BindError;

BindError failure(const Address& address, std::string_view why, int number = 0) {
  std::string message = "cannot listen on " + address.to_url() + ": ";
  message.append(why);
  return {std::move(message), number};
}

BindError failure(const Address& address, int error) {
  return failure(address, std::generic_category().message(error), error);
}

/// Removes a stale Unix socket at the path of `where`; returns the obstacle if it must not be removed.
std::optional<BindError> remove_stale_file(const Address& address, const SocketAddress& where) {
  struct stat file {};
  if (::lstat(address.path.c_str(), &file) != 0) return std::nullopt;
  if (!S_ISSOCK(file.st_mode)) return failure(address, "there is a file which is not a socket");
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int status = ::connect(probe.number(), where.get(), where.size);
  if (status == 0 || errno != ECONNREFUSED) return failure(address, "another process is listening on it");
  ::unlink(address.path.c_str());
  return std::nullopt;
}

void set_option(int socket, int level, int name, bool on = true) {
  const int value = on ? 1 : 0;
  (void)::setsockopt(socket, level, name, &value, sizeof value);
}

/// Messages must not wait for a segment to fill. Accepted sockets inherit the option (accept(2)), so that no
/// connection pays a system call for it. Fails on a Unix socket, which has no such delay.
void hand_on_no_delay(int socket) { set_option(socket, IPPROTO_TCP, TCP_NODELAY); }

}  // namespace

ListeningSocket::~ListeningSocket() {
  if (!socket_.is_open() || !owns_file_) return;
  struct stat file {};
  if (::lstat(address_.path.c_str(), &file) != 0) return;
  if (file.st_dev == file_device_ && file.st_ino == file_inode_) ::unlink(address_.path.c_str());
}

bool BindError::is_missing() const { return number == EADDRNOTAVAIL || number == EAFNOSUPPORT; }

bool BindError::is_in_use() const { return number == EADDRINUSE; }

base::Result<ListeningSocket, BindError> ListeningSocket::bind(const Address& address, mode_t unix_mode,
                                                               Ipv4 ipv4) {
  const SocketAddress where = SocketAddress::from(address);
  const bool is_unix = where.family() == AF_UNIX;
  ListeningSocket made(
      FileDescriptor(::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  if (made.number() < 0) return failure(address, errno);
  if (is_unix) {
    if (auto error = remove_stale_file(address, where)) return std::move(*error);
  } else {
    set_option(made.number(), SOL_SOCKET, SO_REUSEADDR);
  }
  // Set in either case: the default depends on net.ipv6.bindv6only.
  if (where.family() == AF_INET6) {
    set_option(made.number(), IPPROTO_IPV6, IPV6_V6ONLY, ipv4 == Ipv4::apart);
  }
  if (::bind(made.number(), where.get(), where.size) != 0) return failure(address, errno);
  if (is_unix) {
    struct stat file {};
    if (::lstat(address.path.c_str(), &file) != 0) return failure(address, errno);
    made.owns_file_ = true;
    made.file_device_ = file.st_dev;
    made.file_inode_ = file.st_ino;
    made.address_ = address;
    // Before listening, so that no connection is accepted under the mode of the umask.
    if (::chmod(address.path.c_str(), unix_mode) != 0) return failure(address, errno);
  }
  if (::listen(made.number(), backlog) != 0) return failure(address, errno);
  if (!made.find_address()) return failure(address, errno);
  hand_on_no_delay(made.number());
  return made;
}

base::Result<ListeningSocket> ListeningSocket::adopt(FileDescriptor socket) {
  const std::string name = "descriptor " + std::to_string(socket.number());
  int listens = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(socket.number(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) {
    return base::Error{name + " was handed over as a listening socket but is none"};
  }
  const int flags = ::fcntl(socket.number(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.number(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(socket.number(), F_SETFD, FD_CLOEXEC) != 0) {
    return base::Error{name + ": " + std::generic_category().message(errno)};
  }
  // It may have been created with a short backlog; listening again changes that.
  (void)::listen(socket.number(), backlog);
  ListeningSocket made(std::move(socket));
  if (!made.find_address()) return base::Error{name + " is neither a TCP nor a Unix socket"};
  hand_on_no_delay(made.number());
  return made;
}

bool ListeningSocket::find_address() {
  SocketAddress bound;
  if (::getsockname(number(), bound.get(), &bound.size) != 0) return false;
  if (bound.family() == AF_UNIX) {
    address_.scheme = Address::Scheme::unix_socket;
    address_.path = bound.path();
    return true;
  }
  if (bound.family() != AF_INET && bound.family() != AF_INET6) return false;
  Peer self = bound.to_peer();
  address_.host = std::move(self.address);
  address_.port = self.port;
  return true;
}

}  // namespace roomcast::net
