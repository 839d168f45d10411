#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/server_process.h"

namespace roomcast::bench {

/// The servers that the matrix measures. `floor` makes one send for each subscriber and message, `floor_join`
/// one for each subscriber and turn; both do nothing that a server could leave out.
enum class Server { roomcast, floor, floor_join, nchan, ws };

/// What a run needs of a server.
struct ServerNeeds {
  bool tls = false;
  bool deflate = false;
};

[[nodiscard]] std::string_view name_of(Server server);
/// The version it says of itself, for the table's foot.
[[nodiscard]] std::string version_of(Server server);

/// Starts one on `cpu` (-1: anywhere) with a configuration that is alike for all (no log lines per
/// connection, no idle timeouts that fall into a run, pings as far apart as it allows, one worker).
/// `roomcast` is the daemon's path; empty: beside this tool, then in PATH. Nothing when the server is not
/// installed here, or cannot do what is needed.
[[nodiscard]] std::unique_ptr<ServerProcess> start_server(Server server, const ServerNeeds& needs, int cpu,
                                                          const std::string& roomcast);

}  // namespace roomcast::bench
