#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "measurement.h"
#include "scenario/scenarios.h"
#include "serve/server_process.h"

namespace roomcast::bench {

/// As many connections that wait as the machine's memory holds, both ends on it: over so many server
/// processes, and processes of clients, as the limit of descriptors (and of ports to one address) asks for.
/// Each server has one room.
struct MillionSettings {
  std::size_t connections = 1'000'000;
  std::int64_t give_up_seconds = 900;
  /// The run ends with an exception when the machine has less memory left than this.
  std::int64_t keep_free_bytes = std::int64_t{1} << 30;
  Progress progress;
};

/// Starts one server more, that is killed when it is dropped. Throws when that fails.
using StartServer = std::function<std::unique_ptr<ServerProcess>()>;

/// All connect; each is pinged, and has to answer; then one message goes to each room. An operation is a
/// connection that got it. What is not whole is counted; figures: processes (of each kind), alive (pongs),
/// server_bytes (user memory, growth of the server for each), client_bytes (the
/// same of its client, all that the processes have), kernel_bytes (for each pair),
/// open_seconds, deliver_seconds, least_available_bytes. Throws std::runtime_error when a process ends, or
/// memory does; all processes are gone then.
[[nodiscard]] Measurement run_million(const StartServer& start_server, const MillionSettings& settings);

}  // namespace roomcast::bench
