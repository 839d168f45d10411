#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/byte_stream.h"

namespace roomcast::net {

/// An address to listen on, as configured: `http://127.0.0.1:8080`, the same without a scheme,
/// `https://[::]:8443`, `unix:/run/roomcast.sock`. Names are not resolved: the host is a numeric address or
/// `localhost`. An IPv4-mapped IPv6 address (`[::ffff:127.0.0.1]`) is the IPv4 address. Texts that denote
/// several sockets are handled by app/listen_plan.h.
struct Address {
  enum class Scheme : std::uint8_t { http, https, unix_socket };

  Scheme scheme = Scheme::http;
  std::string host;        ///< without brackets; empty for a Unix socket
  std::uint16_t port = 0;  ///< 0: any free one
  std::string path;        ///< for a Unix socket

  /// Parses `text`, or says what is wrong with it.
  [[nodiscard]] static base::Result<Address> parse(std::string_view text);
  [[nodiscard]] bool is_ipv6() const { return host.find(':') != std::string::npos; }
  /// The form that `parse` accepts, with its scheme.
  [[nodiscard]] std::string to_url() const;

  friend bool operator==(const Address&, const Address&) = default;
};

/// A socket address in the form of the kernel.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  /// Converts `address`, which must come from Address::parse.
  [[nodiscard]] static SocketAddress from(const Address& address);

  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }

  /// The numeric address and port. An IPv4-mapped IPv6 address becomes the IPv4 address.
  [[nodiscard]] Peer to_peer() const;
  /// The path of a Unix socket; empty if it has none.
  [[nodiscard]] std::string path() const;
};

}  // namespace roomcast::net
