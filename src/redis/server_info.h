#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace roomcast::redis {

/// What a server is needed for.
enum class ServerRole : std::uint8_t {
  primary,     ///< takes writes
  any_server,  ///< keeps data, as a primary or a replica
  sentinel,    ///< watches over others
};

/// What a server says of itself.
struct ServerInfo {
  std::string product;         ///< "redis" or "valkey", or what else it calls itself
  std::string version;         ///< "7.0.15"
  std::string run_id;          ///< of its process, 40 hex digits
  std::string replication_id;  ///< of its data set, 40 hex digits
  std::string eviction;        ///< maxmemory_policy
  std::int64_t client_id = 0;  ///< of this connection
  bool is_primary = false;
  bool is_cluster = false;
  bool is_sentinel = false;
  bool is_loading = false;   ///< its data are not all there yet
  std::string primary_host;  ///< of a replica
  std::uint16_t primary_port = 0;
};

/// Takes what `INFO` says over into `info`.
void read_info(std::string_view text, ServerInfo& info);
/// Why a server that says this of itself can't be used in that role, for the operator: empty if it can. A
/// primary may be too old, a replica, one whose run id or replication id is made up (a proxy), one that is
/// still loading its data.
[[nodiscard]] std::string why_unusable(const ServerInfo& info, ServerRole role = ServerRole::primary);
/// What to tell the operator of a server that can be used: an eviction policy that loses history.
[[nodiscard]] std::vector<std::string> advice_for(const ServerInfo& info);

}  // namespace roomcast::redis
