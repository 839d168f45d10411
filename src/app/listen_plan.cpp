#include "app/listen_plan.h"

#include <cstddef>
#include <utility>
#include <vector>

namespace roomcast::app {

namespace {

using net::Address;

struct Place {
  const char* key;
  const std::string* text;
  Address address;
};

/// All sound ones. `localhost` is two places.
std::vector<Place> places(const config::Config& config) {
  std::vector<Place> all;
  for (const auto& [key, list] :
       {std::pair("listen", &config.listen), std::pair("admin_listen", &config.admin_listen)}) {
    for (const std::string& text : *list) {
      auto address = Address::parse(text);
      if (!address) continue;
      const bool is_localhost = address->host == "localhost";
      if (is_localhost) address->host = "127.0.0.1";
      all.push_back({key, &text, *address});
      if (!is_localhost) continue;
      address->host = "::1";
      all.push_back({key, &text, *address});
    }
  }
  return all;
}

bool is_unix(const Address& address) { return address.scheme == Address::Scheme::unix_socket; }

bool is_every_address(const Address& address) { return address.host == "::" || address.host == "0.0.0.0"; }

bool collide(const Address& a, const Address& b) {
  if (is_unix(a) || is_unix(b)) return is_unix(a) && is_unix(b) && a.path == b.path;
  if (a.port == 0 || a.port != b.port || a.is_ipv6() != b.is_ipv6()) return false;
  return a.host == b.host || is_every_address(a) || is_every_address(b);
}

}  // namespace

net::ListeningSocket::Ipv4 ipv4_of(const Address& address, const config::Config& config) {
  using Ipv4 = net::ListeningSocket::Ipv4;
  if (address.host != "::" || address.port == 0) return Ipv4::too;
  for (const Place& other : places(config)) {
    const bool is_ipv4 = !is_unix(other.address) && !other.address.is_ipv6();
    if (is_ipv4 && other.address.port == address.port) return Ipv4::apart;
  }
  return Ipv4::too;
}

std::optional<std::string> listen_conflict(const config::Config& config) {
  const std::vector<Place> all = places(config);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = i + 1; j < all.size(); ++j) {
      if (!collide(all[i].address, all[j].address)) continue;
      return std::string(all[j].key) + ": " + *all[j].text + " cannot be bound beside " + *all[i].text +
             " in " + all[i].key;
    }
  }
  return std::nullopt;
}

}  // namespace roomcast::app
