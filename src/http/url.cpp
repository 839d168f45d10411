#include "http/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "http/message.h"

namespace roomcast::http {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The byte encoded by the '%' at `at`, or -1.
int encoded_byte(std::string_view text, std::size_t at) {
  if (text.size() - at < 3) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/// The unreserved characters and sub-delims of RFC 3986 section 2, of which a reg-name consists.
constexpr auto name_bytes = [] {
  std::array<bool, 256> allowed{};
  for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                       "-._~!$&'()*+,;="))
    allowed.at(static_cast<unsigned char>(c)) = true;
  return allowed;
}();

/// A reg-name, which covers IPv4 addresses.
bool is_registered_name(std::string_view host) {
  for (std::size_t i = 0; i < host.size(); ++i) {
    if (name_bytes[static_cast<unsigned char>(host[i])]) continue;
    if (host[i] != '%' || encoded_byte(host, i) < 0) return false;
    i += 2;
  }
  return !host.empty();
}

/// An IP-literal without zone: brackets and an IPv6 address. IPvFuture is refused.
bool is_ip_literal(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  const std::string address(host.substr(1, host.size() - 2));
  in6_addr parsed{};
  return address.find('\0') == std::string::npos && inet_pton(AF_INET6, address.c_str(), &parsed) == 1;
}

}  // namespace

base::Result<std::string> percent_decode(std::string_view text) {
  if (text.find('%') == std::string_view::npos) return std::string(text);
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int byte = encoded_byte(text, i);
    if (byte < 0) {
      return base::Error{"broken percent-encoding '" + std::string(text.substr(i, 3)) +
                         "': '%' needs two hexadecimal digits"};
    }
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

std::optional<std::string> form_decode(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  auto decoded = percent_decode(spaced);
  if (!decoded) return std::nullopt;
  return std::move(*decoded);
}

bool form_equals(std::string_view text, std::string_view plain) {
  std::size_t at = 0;
  for (const char expected : plain) {
    if (at == text.size()) return false;
    int byte = static_cast<unsigned char>(text[at]);
    if (byte == '+') byte = ' ';
    if (byte == '%') {
      byte = encoded_byte(text, at);
      at += 2;
    }
    if (byte != static_cast<unsigned char>(expected)) return false;
    ++at;
  }
  return at == text.size();
}

std::optional<Authority> parse_authority(std::string_view text) {
  const auto host_end = text.rfind(':');
  // The last colon begins the port unless it is within the brackets of an address.
  const bool has_port =
      host_end != std::string_view::npos && text.find(']', host_end) == std::string_view::npos;
  const std::string_view host = has_port ? text.substr(0, host_end) : text;
  if (!is_registered_name(host) && !is_ip_literal(host)) return std::nullopt;
  Authority authority{host, std::nullopt};
  if (!has_port) return authority;
  const std::string_view digits = text.substr(host_end + 1);
  if (digits.empty()) return authority;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  authority.port = port;
  return authority;
}

std::optional<Target> parse_target(std::string_view text) {
  Target target;
  if (text == "*") {
    target.path = text;
    return target;
  }
  std::string_view rest = text;
  if (!rest.starts_with('/')) {
    const auto scheme_end = rest.find("://");
    const auto scheme = rest.substr(0, scheme_end);
    if (scheme_end == std::string_view::npos ||
        !(base::equals_ignoring_case(scheme, "http") || base::equals_ignoring_case(scheme, "https"))) {
      return std::nullopt;
    }
    rest.remove_prefix(scheme_end + 3);
    const auto authority_end = rest.find_first_of("/?");
    target.authority = rest.substr(0, authority_end);
    rest.remove_prefix(target.authority.size());
  }
  const auto question = rest.find('?');
  target.path = rest.substr(0, question);
  if (target.path.empty()) target.path = "/";  // optional in the absolute form (RFC 9112 section 3.2.1)
  if (question != std::string_view::npos) target.query = rest.substr(question + 1);
  return target;
}

}  // namespace roomcast::http
