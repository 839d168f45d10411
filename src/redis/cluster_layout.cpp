#include "redis/cluster_layout.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

namespace roomcast::redis {

namespace {

constexpr std::string_view unknown_host = "?";
constexpr std::string_view epoch_key = "cluster_current_epoch:";
constexpr std::size_t announced_host_bytes_max = 253;

using Slots = std::vector<std::pair<std::uint16_t, std::uint16_t>>;

std::optional<ServerAddress> announced_address(std::string_view host, std::int64_t port,
                                               const ServerAddress& asked) {
  if (port <= 0 || port > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  if (host.empty()) host = asked.host;
  if (host.empty() || host == unknown_host || host.size() > announced_host_bytes_max) return std::nullopt;
  ServerAddress address;
  // A cluster announces no Unix sockets.
  if (asked.scheme == ServerAddress::Scheme::tls) address.scheme = asked.scheme;
  address.host = host;
  address.port = static_cast<std::uint16_t>(port);
  return address;
}

bool add_slots(Slots& slots, const Value& first, const Value& last) {
  const bool is_range = first.type == Value::Type::integer && last.type == Value::Type::integer &&
                        0 <= first.integer && first.integer <= last.integer &&
                        last.integer <= Layout::last_slot;
  if (is_range) slots.emplace_back(first.integer, last.integer);
  return is_range;
}

std::string_view text_in(const Value& map, std::string_view key) {
  const Value* const value = map.find(key);
  return value == nullptr ? std::string_view() : value->text;
}

std::optional<ServerAddress> announced_node(const Value& node, const ServerAddress& asked) {
  const Value* port = node.find(asked.scheme == ServerAddress::Scheme::tls ? "tls-port" : "port");
  if (port == nullptr) return std::nullopt;
  std::string_view host = text_in(node, "endpoint");
  if (host == unknown_host) host = text_in(node, "ip");
  return announced_address(host, port->integer, asked);
}

/// Adds a shard with at least one slot.
void add_shard(ClusterView& view, const ServerAddress& address, Slots slots) {
  if (slots.empty()) return;
  std::vector<Layout::Shard>& shards = view.layout.shards;
  const auto found = std::find_if(shards.begin(), shards.end(),
                                  [&](const Layout::Shard& shard) { return shard.address == address; });
  if (found == shards.end()) {
    shards.push_back({address, std::move(slots)});
  } else {
    found->slots.insert(found->slots.end(), slots.begin(), slots.end());
  }
}

/// Servers name the same in different orders.
ClusterView sorted(ClusterView&& view) {
  for (Layout::Shard& shard : view.layout.shards)
    std::sort(shard.slots.begin(), shard.slots.end());
  std::sort(view.layout.shards.begin(), view.layout.shards.end(),
            [](const Layout::Shard& one, const Layout::Shard& other) {
              return one.slots.front() < other.slots.front();
            });
  return std::move(view);
}

}  // namespace

std::optional<ClusterView> read_cluster_shards(const Value& reply, const ServerAddress& asked) {
  if (!reply.is_list()) return std::nullopt;
  ClusterView view;
  for (const Value& shard : reply.items) {
    const Value* const ranges = shard.find("slots");
    const Value* const nodes = shard.find("nodes");
    if (ranges == nullptr || nodes == nullptr || !ranges->is_list() || !nodes->is_list()) return std::nullopt;
    if (ranges->items.size() % 2 != 0) return std::nullopt;
    Slots slots;
    for (std::size_t i = 0; i < ranges->items.size(); i += 2) {
      if (!add_slots(slots, ranges->items[i], ranges->items[i + 1])) return std::nullopt;
    }
    std::optional<ServerAddress> primary;
    bool is_online = false;
    for (const Value& node : nodes->items) {
      const auto address = announced_node(node, asked);
      if (!address) continue;
      view.servers.push_back(*address);
      if (text_in(node, "role") != "master" || is_online) continue;
      // After a failover the old one may be listed beside the new one.
      is_online = text_in(node, "health") == "online";
      if (!primary || is_online) primary = address;
    }
    if (primary) add_shard(view, *primary, std::move(slots));
  }
  return sorted(std::move(view));
}

std::optional<ClusterView> read_cluster_slots(const Value& reply, const ServerAddress& asked) {
  constexpr std::size_t before_nodes = 2;
  if (!reply.is_list()) return std::nullopt;
  ClusterView view;
  for (const Value& range : reply.items) {
    if (!range.is_list() || range.items.size() <= before_nodes) return std::nullopt;
    Slots slots;
    if (!add_slots(slots, range.items[0], range.items[1])) return std::nullopt;
    for (std::size_t i = before_nodes; i < range.items.size(); ++i) {
      const Value& node = range.items[i];
      if (!node.is_list() || node.items.size() < 2) return std::nullopt;
      const auto address = announced_address(node.items[0].text, node.items[1].integer, asked);
      if (!address) continue;
      const bool is_new = std::find(view.servers.begin(), view.servers.end(), *address) == view.servers.end();
      if (is_new) view.servers.push_back(*address);
      if (i == before_nodes) add_shard(view, *address, slots);
    }
  }
  return sorted(std::move(view));
}

std::uint64_t read_cluster_epoch(std::string_view info) {
  const std::size_t at = info.find(epoch_key);
  if (at == std::string_view::npos) return 0;
  info.remove_prefix(at + epoch_key.size());
  std::uint64_t epoch = 0;
  std::from_chars(info.data(), info.data() + info.size(), epoch);
  return epoch;
}

}  // namespace roomcast::redis
