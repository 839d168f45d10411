#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/address_block.h"

namespace roomcast::net {

namespace {

base::Error bad_address(std::string_view text, std::string_view why) {
  std::string message = "bad address \"";
  message.append(text).append("\": ").append(why);
  return {std::move(message)};
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

constexpr std::string_view link_local =
    "a link-local address (fe80::) is different on each interface; [::] listens on all of them";
constexpr std::string_view multicast = "nobody can connect to a multicast or broadcast address";

/// Returns what is wrong with an IPv4 address; empty if nothing is.
std::string_view check_ipv4(const std::string& host) {
  in_addr bits{};
  if (inet_pton(AF_INET, host.c_str(), &bits) != 1) {
    return "the host must be a numeric address or localhost; [::] means every address, 0.0.0.0 every IPv4 "
           "one";
  }
  const std::uint32_t number = ntohl(bits.s_addr);
  return IN_MULTICAST(number) || number == INADDR_BROADCAST ? multicast : std::string_view();
}

base::Result<Address> parse_path(std::string_view text, std::string_view path) {
  if (!path.starts_with('/'))
    return bad_address(text, "a Unix socket needs an absolute path, as in unix:/run/x.sock");
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return bad_address(text, "the path of a Unix socket has at most " +
                                 std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
  }
  if (path.find('\0') != std::string_view::npos) return bad_address(text, "there is a NUL in the path");
  return Address{Address::Scheme::unix_socket, "", 0, std::string(path)};
}

/// Reads the address between brackets in canonical form; returns what is wrong with it, empty if nothing is.
/// An address that passes here and cannot be bound would only be found at startup.
std::string_view read_ipv6(std::string_view text, std::string& host) {
  in6_addr bits{};
  if (inet_pton(AF_INET6, std::string(text).c_str(), &bits) != 1) {
    return text.find('%') == std::string_view::npos ? "between the brackets stands no IPv6 address"
                                                    : link_local;
  }
  if (IN6_IS_ADDR_LINKLOCAL(&bits)) return link_local;
  if (IN6_IS_ADDR_MULTICAST(&bits)) return multicast;
  host = base::address_text(bits);
  return IN6_IS_ADDR_V4MAPPED(&bits) ? check_ipv4(host) : std::string_view();
}

/// Splits "host:port" or "[host]:port"; returns what is wrong with it, empty if nothing is.
std::string_view split(std::string_view rest, Address& address, std::string_view& port) {
  if (take_prefix(rest, "[")) {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) return "the closing ] is missing";
    if (const auto why = read_ipv6(rest.substr(0, end), address.host); !why.empty()) return why;
    rest.remove_prefix(end + 1);
  } else {
    address.host = rest.substr(0, rest.find(':'));
    rest.remove_prefix(address.host.size());
    if (rest.find(':') != rest.rfind(':')) return "an IPv6 address needs brackets, as in [::1]:8080";
    if (address.host != "localhost") {
      if (const auto why = check_ipv4(address.host); !why.empty()) return why;
    }
  }
  if (!take_prefix(rest, ":")) return "a port is needed, as in 127.0.0.1:8080";
  port = rest;
  return {};
}

}  // namespace

base::Result<Address> Address::parse(std::string_view text) {
  std::string_view rest = text;
  if (take_prefix(rest, "unix:")) return parse_path(text, rest);
  Address address;
  if (take_prefix(rest, "https://")) {
    address.scheme = Scheme::https;
  } else if (!take_prefix(rest, "http://") && rest.find("://") != std::string_view::npos) {
    return bad_address(text, "the scheme must be http, https or unix");
  }
  std::string_view port;
  if (const auto why = split(rest, address, port); !why.empty()) return bad_address(text, why);
  const char* end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data(), end, address.port);
  if (error == std::errc::result_out_of_range) return bad_address(text, "a port is at most 65535");
  if (error != std::errc{} || stop != end)
    return bad_address(text, "the port must be a number and stand last");
  return address;
}

std::string Address::to_url() const {
  if (scheme == Scheme::unix_socket) return "unix:" + path;
  return (scheme == Scheme::https ? "https://" : "http://") + (is_ipv6() ? "[" + host + "]" : host) + ":" +
         std::to_string(port);
}

namespace {

/// Copies the address from `storage`, which has the size and alignment for all of them.
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

/// The text of four bytes in network order. inet_ntop takes ten times as long, and this runs for each
/// connection.
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
