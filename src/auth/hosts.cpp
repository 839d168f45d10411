#include "auth/hosts.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "http/url.h"

namespace roomcast::auth {

namespace {

/// The host of an authority in lower case, without port and trailing dot.
std::string host_of(std::string_view authority) {
  const auto parsed = http::parse_authority(authority);
  if (!parsed) return {};
  std::string host = base::lower_case(parsed->host);
  if (host.size() > 1 && host.ends_with('.')) host.pop_back();
  return host;
}

bool is_numeric(const std::string& host) {
  in_addr address{};
  return host.starts_with('[') || inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_localhost(std::string_view host) { return host == "localhost" || host.ends_with(".localhost"); }

}  // namespace

bool is_subdomain(std::string_view host, std::string_view domain) {
  return host.size() > domain.size() && host.ends_with(domain) && host.front() != '.';
}

base::Result<HostRules> HostRules::parse(const std::vector<std::string>& entries) {
  HostRules rules;
  for (const std::string& entry : entries) {
    if (entry == "*") {
      rules.any_ = true;
      continue;
    }
    const bool wildcard = entry.starts_with("*.");
    const std::string_view name = std::string_view(entry).substr(wildcard ? 2 : 0);
    const auto parsed = http::parse_authority(name);
    // parse_authority accepts a port, which hosts must not have.
    if (!parsed || parsed->host.size() != name.size() || name.find('*') != std::string_view::npos) {
      return base::Error{"hosts: '" + entry +
                         "' is not a host: expected chat.example, *.chat.example, an address (IPv6 in "
                         "brackets) or \"*\", without scheme and port"};
    }
    if (wildcard) {
      rules.domains_.push_back('.' + host_of(name));
    } else {
      rules.names_.push_back(host_of(name));
    }
  }
  return rules;
}

bool HostRules::lists(std::string_view host) const {
  return std::find(names_.begin(), names_.end(), host) != names_.end() ||
         std::any_of(domains_.begin(), domains_.end(),
                     [host](const std::string& domain) { return is_subdomain(host, domain); });
}

bool HostRules::allow(const http::Request& request) const {
  const auto field = request.headers.get("Host");
  if (any_ || !field || request.client.is_forwarded || request.client.address == "unix") return true;
  if (names_.empty() && domains_.empty() && !request.client.on_loopback) return true;
  if (!last_allowed_.empty() && *field == last_allowed_) return true;
  const std::string host = host_of(*field);
  const bool is_allowed = is_localhost(host) || is_numeric(host) || lists(host);
  if (is_allowed && field->size() <= last_allowed_bytes_max) last_allowed_ = *field;
  return is_allowed;
}

}  // namespace roomcast::auth
