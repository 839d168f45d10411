#include "net/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace roomcast::net {

namespace {

/// Copies out of `storage`, which has the size and alignment for any of them.
template <class T>
T as(const sockaddr_storage& storage) {
  T address{};
  std::memcpy(&address, &storage, sizeof address);
  return address;
}

template <class T>
SocketAddress of(const T& address) {
  SocketAddress result;
  std::memcpy(&result.storage, &address, sizeof address);
  result.size = sizeof address;
  return result;
}

std::string numeric_v6(const in6_addr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return inet_ntop(AF_INET6, &address, text.data(), text.size()) == nullptr ? "" : text.data();
}

/// Four bytes in network order. inet_ntop would take ten times as long, and every connection asks.
std::string numeric_v4(const void* address) {
  std::array<std::uint8_t, 4> bytes{};
  std::memcpy(bytes.data(), address, bytes.size());
  std::array<char, INET_ADDRSTRLEN> text{};
  char* end = text.data();
  for (const std::uint8_t byte : bytes) {
    if (end != text.data()) *end++ = '.';
    end = std::to_chars(end, text.data() + text.size(), byte).ptr;
  }
  return {text.data(), end};
}

}  // namespace

SocketAddress SocketAddress::from(const Address& address) {
  if (address.scheme == Address::Scheme::unix_socket) {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    address.path.copy(local.sun_path, sizeof local.sun_path - 1);
    return of(local);
  }
  if (address.is_ipv6()) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(address.port);
    inet_pton(AF_INET6, address.host.c_str(), &six.sin6_addr);
    return of(six);
  }
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(address.port);
  inet_pton(AF_INET, address.host == "localhost" ? "127.0.0.1" : address.host.c_str(), &four.sin_addr);
  return of(four);
}

Peer SocketAddress::to_peer() const {
  if (family() == AF_INET) {
    const auto four = as<sockaddr_in>(storage);
    return {numeric_v4(&four.sin_addr), ntohs(four.sin_port)};
  }
  if (family() == AF_INET6) {
    const auto six = as<sockaddr_in6>(storage);
    const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&six.sin6_addr);
    return {is_mapped ? numeric_v4(&six.sin6_addr.s6_addr[12]) : numeric_v6(six.sin6_addr),
            ntohs(six.sin6_port)};
  }
  return {"unix", 0};
}

std::string SocketAddress::path() const {
  constexpr std::size_t start = offsetof(sockaddr_un, sun_path);
  if (family() != AF_UNIX || size <= start) return {};
  const auto local = as<sockaddr_un>(storage);
  return {local.sun_path, strnlen(local.sun_path, size - start)};
}

}  // namespace roomcast::net
