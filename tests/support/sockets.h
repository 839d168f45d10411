#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "net/address.h"
#include "net/file_descriptor.h"
#include "net/listening_socket.h"

namespace roomcast::test {

/// A non-blocking client socket, connected to `address`, or closed with errno set.
inline net::FileDescriptor connect_to(const net::Address& address) {
  const auto where = net::SocketAddress::from(address);
  net::FileDescriptor client(::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(client.number(), where.get(), where.size) != 0) return {};
  ::fcntl(client.number(), F_SETFL, O_NONBLOCK);
  return client;
}

inline net::Address parse_address(const std::string& text) {
  auto address = net::Address::parse(text);
  return address ? *address : net::Address{};
}

/// Reads what has arrived, without waiting. `ended` is set at FIN of the peer, `broken` at a reset.
inline std::string receive_some(const net::FileDescriptor& socket, bool& ended, bool& broken) {
  std::string bytes(65'536, '\0');
  const ssize_t count = ::recv(socket.number(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  ended = ended || count == 0;
  broken = broken || (count < 0 && errno != EAGAIN);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

/// Makes closing the socket send a reset instead of FIN, through whichever descriptor it is closed.
inline void reset_on_close(const net::FileDescriptor& socket) {
  const linger at_once{1, 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/// Closes with a reset instead of FIN.
inline void reset(net::FileDescriptor& socket) {
  reset_on_close(socket);
  socket.close();
}

}  // namespace roomcast::test
