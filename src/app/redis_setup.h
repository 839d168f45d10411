#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "net/tls_client.h"
#include "redis/connection.h"
#include "redis/server_address.h"

namespace roomcast::app {

/// What the settings of the Redis engine come to, with the files that they name.
struct RedisSetup {
  std::vector<redis::ServerAddress> addresses;  ///< at least one: the server, Sentinels, or some of a cluster
  bool is_cluster = false;
  std::string sentinel;                   ///< the primary's name; empty: `addresses` are no Sentinels
  std::string node;                       ///< the name of this server
  redis::Connection::Options connection;  ///< to a primary, but for its address
  net::TlsClientContext tls;

  /// Reads the files. The error names the key and what is wrong with it, and has no password in it.
  [[nodiscard]] static base::Result<RedisSetup> from(const config::Config& config);
};

}  // namespace roomcast::app
