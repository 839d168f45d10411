#include "net/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <charconv>

namespace roomcast::net {

namespace {

base::Error wrong(std::string_view text, std::string_view why) {
  std::string message = "bad address \"";
  message.append(text).append("\": ").append(why);
  return {std::move(message)};
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool is_numeric(int family, const std::string& host) {
  in6_addr any{};
  return inet_pton(family, host.c_str(), &any) == 1;
}

base::Result<Address> parse_path(std::string_view text, std::string_view path) {
  if (!path.starts_with('/'))
    return wrong(text, "a Unix socket needs an absolute path, as in unix:/run/x.sock");
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return wrong(text, "the path of a Unix socket has at most " +
                           std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
  }
  if (path.find('\0') != std::string_view::npos) return wrong(text, "there is a NUL in the path");
  return Address{Address::Scheme::unix_socket, "", 0, std::string(path)};
}

/// Splits "host:port" or "[host]:port"; what is wrong with it, or nothing.
std::string_view split(std::string_view rest, Address& address, std::string_view& port) {
  if (take_prefix(rest, "[")) {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) return "the closing ] is missing";
    address.host = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (!is_numeric(AF_INET6, address.host)) return "between the brackets stands no IPv6 address";
  } else {
    address.host = rest.substr(0, rest.find(':'));
    rest.remove_prefix(address.host.size());
    if (rest.find(':') != rest.rfind(':')) return "an IPv6 address needs brackets, as in [::1]:8080";
    if (address.host != "localhost" && !is_numeric(AF_INET, address.host)) {
      return "the host must be a numeric address or localhost; 0.0.0.0 and [::] mean every address";
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
    return wrong(text, "the scheme must be http, https or unix");
  }
  std::string_view port;
  if (const auto why = split(rest, address, port); !why.empty()) return wrong(text, why);
  const char* end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data(), end, address.port);
  if (error == std::errc::result_out_of_range) return wrong(text, "a port is at most 65535");
  if (error != std::errc{} || stop != end) return wrong(text, "the port must be a number and stand last");
  return address;
}

std::string Address::to_url() const {
  if (scheme == Scheme::unix_socket) return "unix:" + path;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (scheme == Scheme::https ? "https://" : "http://") + (is_ipv6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port);
}

}  // namespace roomcast::net
