#pragma once

#include <sys/socket.h>

#include "net/address.h"
#include "net/byte_stream.h"

namespace roomcast::net {

/// A socket address as the kernel takes and gives it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  /// The kernel's form of `address`, which must have come from Address::parse.
  [[nodiscard]] static SocketAddress from(const Address& address);

  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }

  /// The same in words: numeric address and port. An IPv4-mapped IPv6 address becomes the IPv4 one.
  [[nodiscard]] Peer to_peer() const;
  /// The path of a Unix socket; empty if it has none.
  [[nodiscard]] std::string path() const;
};

}  // namespace roomcast::net
