#include "http/forwarded.h"

#include <arpa/inet.h>

#include <optional>
#include <string>
#include <vector>

#include "base/address_block.h"
#include "base/text.h"

namespace roomcast::http {

namespace {

/// One hop as reported by a proxy.
struct Hop {
  std::string_view address;  // as sent, perhaps with port and brackets
  std::string_view proto;
};

/// A hop over a Unix socket, as nginx reports it ("unix:").
bool is_unix_peer(std::string_view text) { return text == "unix" || text.starts_with("unix:"); }

/// The canonical form of the numeric address in `text`: "192.0.2.1", "192.0.2.1:80", "2001:db8::1",
/// "[2001:db8::1]:80", possibly in quotes. IPv4-mapped addresses become IPv4, zones are dropped. Nothing for
/// other texts ("unknown", "_hidden", a name).
std::optional<std::string> numeric_address(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    text = text.substr(1, end - 1);
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos && colon == text.rfind(':')) {
    text = text.substr(0, colon);
  }
  const std::string address(text.substr(0, text.find('%')));
  char canonical[INET6_ADDRSTRLEN] = {};
  in_addr v4{};
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) {
    return inet_ntop(AF_INET, &v4, canonical, sizeof canonical);
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, address.c_str(), &v6) == 1) return base::address_text(v6);
  return std::nullopt;
}

/// The elements of a list without empty ones, which are ignored (RFC 9110 section 5.6.1.2).
std::vector<std::string_view> filled_elements(std::string_view list) {
  auto elements = base::list_elements(list);
  std::erase_if(elements, [](std::string_view element) { return element.empty(); });
  return elements;
}

std::vector<Hop> hops_of(std::string_view addresses, std::string_view protos) {
  const auto proto_list = filled_elements(protos);
  std::vector<Hop> hops;
  for (const auto address : filled_elements(addresses))
    hops.push_back({address, {}});
  if (hops.empty()) hops.push_back({});
  if (proto_list.empty()) return hops;
  // A list of the same length corresponds to the addresses. Otherwise some proxy replaces one of the two and
  // others append to it: the first scheme is that of the client.
  const bool is_beside = proto_list.size() == hops.size();
  for (std::size_t i = 0; i < hops.size(); ++i)
    hops[i].proto = is_beside ? proto_list[i] : proto_list.front();
  return hops;
}

/// Whether a scheme is encrypted; nothing for an unknown one. Traefik reports that of the WebSocket.
std::optional<bool> is_encrypted(std::string_view proto) {
  if (base::equals_ignoring_case(proto, "https") || base::equals_ignoring_case(proto, "wss")) return true;
  if (base::equals_ignoring_case(proto, "http") || base::equals_ignoring_case(proto, "ws")) return false;
  return std::nullopt;
}

}  // namespace

Client resolve_client(std::string_view peer_address, bool peer_secure, const Headers& headers,
                      const TrustedProxy& is_trusted) {
  Client client{std::string(peer_address), peer_secure};
  client.is_forwarded = is_trusted && is_trusted(peer_address);
  client.is_by_http_proxy = client.is_forwarded;
  if (!client.is_forwarded) return client;
  const std::string addresses = headers.joined("X-Forwarded-For");
  const std::string protos = headers.joined("X-Forwarded-Proto");
  const auto hops = hops_of(addresses, protos);
  for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
    client.secure = is_encrypted(hop->proto).value_or(client.secure);
    // A hop within the machine of a trusted proxy: the client comes before it.
    if (is_unix_peer(hop->address)) continue;
    auto address = numeric_address(hop->address);
    if (!address) return client;
    client.address = std::move(*address);
    if (!is_trusted(client.address)) return client;
  }
  return client;
}

}  // namespace roomcast::http
