#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "redis/server_address.h"
#include "redis/topology.h"
#include "redis/value.h"

namespace roomcast::redis {

/// What one server of a Redis Cluster says about all.
struct ClusterView {
  Layout layout;                       ///< by slot
  std::vector<ServerAddress> servers;  ///< all that may be asked next, replicas too
};

/// Reads the answer to CLUSTER SHARDS. Hosts are taken as the cluster announces them; one that it does not
/// know is that of `asked`, the server which has answered. All are spoken to as that one is. Nothing if the
/// answer is none.
[[nodiscard]] std::optional<ClusterView> read_cluster_shards(const Value& reply, const ServerAddress& asked);
/// The same of CLUSTER SLOTS, for servers that don't know SHARDS.
[[nodiscard]] std::optional<ClusterView> read_cluster_slots(const Value& reply, const ServerAddress& asked);
/// cluster_current_epoch of CLUSTER INFO, which grows with each change; 0 if it has none.
[[nodiscard]] std::uint64_t read_cluster_epoch(std::string_view info);

}  // namespace roomcast::redis
