#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/byte_stream.h"

namespace roomcast::net {

/// Where to listen, as a user writes it: `http://127.0.0.1:8080`, the same without a scheme,
/// `https://[::]:8443`, `unix:/run/roomcast.sock`. Names are not looked up: the host is a numeric address or
/// `localhost`. An IPv4 address in IPv6 clothes (`[::ffff:127.0.0.1]`) is the IPv4 address it is. What stands
/// for more than one socket is taken apart by app/listen_plan.h.
struct Address {
  enum class Scheme : std::uint8_t { http, https, unix_socket };

  Scheme scheme = Scheme::http;
  std::string host;        ///< without brackets; empty for a Unix socket
  std::uint16_t port = 0;  ///< 0: any free one
  std::string path;        ///< of a Unix socket

  /// The address `text` stands for, or what is wrong with it.
  [[nodiscard]] static base::Result<Address> parse(std::string_view text);
  [[nodiscard]] bool is_ipv6() const { return host.find(':') != std::string::npos; }
  /// The form `parse` takes, with its scheme.
  [[nodiscard]] std::string to_url() const;

  friend bool operator==(const Address&, const Address&) = default;
};

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
