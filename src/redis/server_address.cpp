#include "redis/server_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>
#include <utility>

#include "base/address_block.h"
#include "base/text.h"

namespace roomcast::redis {

namespace {

constexpr std::size_t host_bytes_max = 253;  // of a name in the DNS

base::Error bad_server(std::string_view why) {
  return {"not the address of a Redis server: " + std::string(why)};
}

bool take_scheme(std::string_view& text, std::string_view scheme) {
  if (!base::equals_ignoring_case(text.substr(0, scheme.size()), scheme)) return false;
  text.remove_prefix(scheme.size());
  return true;
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const auto high = hex_digit(text[i + 1]);
    const auto low = hex_digit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    out += static_cast<char>(*high << 4U | *low);
    i += 2;
  }
  return out;
}

/// All of `text` as a number of type `Number`, in decimal digits.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_host_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
         c == '_';
}

base::Result<ServerAddress> parse_unix(std::string_view path) {
  if (!path.starts_with('/')) {
    return bad_server("a Unix socket needs an absolute path, as in unix:/run/redis/redis.sock");
  }
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return bad_server("the path of a Unix socket has at most " +
                      std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
  }
  if (path.find('\0') != std::string_view::npos) return bad_server("there is a NUL in the path");
  ServerAddress address;
  address.scheme = ServerAddress::Scheme::unix_socket;
  address.path = path;
  return address;
}

// Each of these returns what is wrong, empty if nothing is.

std::string_view read_user(std::string_view text, ServerAddress& address) {
  const std::size_t colon = text.find(':');
  auto user = percent_decode(text.substr(0, colon));
  auto password =
      percent_decode(colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1));
  if (!user || !password) return "a % in user or password is written %25, and stands before two hex digits";
  address.user = std::move(*user);
  address.password = std::move(*password);
  return {};
}

/// Takes the host from the beginning of `rest`.
std::string_view read_host(std::string_view& rest, ServerAddress& address) {
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return "the closing ] is missing";
    in6_addr bits{};
    if (::inet_pton(AF_INET6, std::string(rest.substr(1, end - 1)).c_str(), &bits) != 1) {
      return "between the brackets stands no IPv6 address";
    }
    address.host = base::address_text(bits);
    rest.remove_prefix(end + 1);
    return {};
  }
  const std::string_view host = rest.substr(0, rest.find(':'));
  rest.remove_prefix(host.size());
  if (rest.find(':') != rest.rfind(':')) return "an IPv6 address needs brackets, as in redis://[::1]:6379";
  if (host.empty()) return "the host is missing";
  if (host.size() > host_bytes_max) return "a host has at most 253 bytes";
  for (const char c : host) {
    if (!is_host_char(c)) return "a host has letters, digits, '-', '.' and '_' only";
  }
  address.host = base::lower_case(host);
  return {};
}

std::string_view read_port(std::string_view rest, ServerAddress& address) {
  if (rest.empty()) return {};
  const auto port =
      rest.starts_with(':') ? parse_number<std::uint16_t>(rest.substr(1)) : std::optional<std::uint16_t>();
  if (!port || *port == 0) return "a port is a number from 1 to 65535, behind the host and a colon";
  address.port = *port;
  return {};
}

std::string_view read_database(std::string_view text, ServerAddress& address) {
  if (text.empty()) return {};
  const auto database = parse_number<std::uint32_t>(text);
  if (!database) return "behind the / stands the number of a database, and nothing more";
  address.database = *database;
  return {};
}

std::string_view read_parts(std::string_view text, ServerAddress& address) {
  const std::size_t slash = text.find('/');
  std::string_view place = text.substr(0, slash);
  const std::string_view database =
      slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1);
  if (database.find('@') != std::string_view::npos) return "a / in user or password is written %2F";
  if (const std::size_t at = place.rfind('@'); at != std::string_view::npos) {
    if (place.find('@') != at) return "an @ in user or password is written %40";
    if (const auto why = read_user(place.substr(0, at), address); !why.empty()) return why;
    place.remove_prefix(at + 1);
  }
  if (const auto why = read_host(place, address); !why.empty()) return why;
  if (const auto why = read_port(place, address); !why.empty()) return why;
  return read_database(database, address);
}

}  // namespace

base::Result<ServerAddress> ServerAddress::parse(std::string_view text) {
  if (take_scheme(text, "unix:")) return parse_unix(text);
  ServerAddress address;
  if (take_scheme(text, "rediss://")) {
    address.scheme = Scheme::tls;
  } else if (!take_scheme(text, "redis://")) {
    return bad_server("it begins with redis://, rediss:// (TLS) or unix:");
  }
  if (const auto why = read_parts(text, address); !why.empty()) return bad_server(why);
  return address;
}

std::string ServerAddress::to_text() const {
  if (scheme == Scheme::unix_socket) return "unix:" + path;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (scheme == Scheme::tls ? "rediss://" : "redis://") + (is_ipv6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port);
}

}  // namespace roomcast::redis
