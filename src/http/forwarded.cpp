#include "http/forwarded.h"

#include <arpa/inet.h>

#include <optional>
#include <string>
#include <vector>

#include "base/ascii.h"

namespace roomcast::http {

namespace {

/// One hop as a proxy reported it.
struct Hop {
  std::string_view address;  // as sent, perhaps with port and brackets
  std::string_view proto;
};

/// The numeric address in `text`: "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80"; in
/// canonical form. Nothing for anything else ("unknown", "_hidden", a name).
std::optional<std::string> numeric_address(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    text = text.substr(1, end - 1);
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos && colon == text.rfind(':')) {
    text = text.substr(0, colon);
  }
  const std::string address(text);
  char canonical[INET6_ADDRSTRLEN] = {};
  in_addr v4{};
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) {
    return inet_ntop(AF_INET, &v4, canonical, sizeof canonical);
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, address.c_str(), &v6) == 1) {
    return inet_ntop(AF_INET6, &v6, canonical, sizeof canonical);
  }
  return std::nullopt;
}

std::vector<Hop> hops_of(std::string_view addresses, std::string_view protos) {
  const auto proto_list = base::list_elements(protos);
  std::vector<Hop> hops;
  for (const auto address : base::list_elements(addresses))
    hops.push_back({address, {}});
  // One scheme is the client's own leg, whoever added addresses; a list stands beside the addresses.
  if (proto_list.size() == 1) {
    for (auto& hop : hops)
      hop.proto = proto_list.front();
  } else if (proto_list.size() == hops.size()) {
    for (std::size_t i = 0; i < hops.size(); ++i)
      hops[i].proto = proto_list[i];
  }
  return hops;
}

}  // namespace

Client resolve_client(std::string_view peer_address, bool peer_secure, const Headers& headers,
                      const TrustedProxy& is_trusted) {
  Client client{std::string(peer_address), peer_secure};
  if (!is_trusted || !is_trusted(peer_address)) return client;
  const std::string addresses = headers.joined("X-Forwarded-For");
  const std::string protos = headers.joined("X-Forwarded-Proto");
  const auto hops = hops_of(addresses, protos);
  for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
    if (base::equals_ignoring_case(hop->proto, "https")) client.secure = true;
    if (base::equals_ignoring_case(hop->proto, "http")) client.secure = false;
    auto address = numeric_address(hop->address);
    if (!address) return client;
    client.address = std::move(*address);
    if (!is_trusted(client.address)) return client;
  }
  return client;
}

}  // namespace roomcast::http
