#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "load/target.h"
#include "serve/child_process.h"
#include "serve/scratch_directory.h"

namespace roomcast::bench {

/// A server under measurement: started by the tool, on a CPU of its own where there are two, killed at the
/// end.
class ServerProcess {
 public:
  /// How a server is started.
  struct Launch {
    std::vector<std::string> command;
    int cpu = -1;  ///< -1: anywhere
    /// Where it listens when it does not print that itself; it is ready once it accepts a connection there.
    std::uint16_t port = 0;
    bool tls = false;  ///< only with `port`
    /// Only with `port`, too.
    ChildProcess::Output output = ChildProcess::Output::kept;
    /// Its configuration, removed when it has ended; may be none.
    std::unique_ptr<ScratchDirectory> directory;
  };

  /// Runs `command` on `cpu` (-1: anywhere) and waits, at most 10 s, for the first `http://127.0.0.1:PORT` or
  /// `https://127.0.0.1:PORT` on its standard error. Throws std::runtime_error with what it printed instead.
  ServerProcess(const std::vector<std::string>& command, int cpu);
  /// The same; with `launch.port` it waits for that port instead.
  explicit ServerProcess(Launch launch);

  [[nodiscard]] const Target& target() const { return target_; }
  [[nodiscard]] bool has_ended() { return process_.has_ended(); }
  /// As of `ChildProcess::output`.
  [[nodiscard]] std::string output() const { return process_.output(); }

 private:
  std::unique_ptr<ScratchDirectory> directory_;  // outlives the process
  ChildProcess process_;
  Target target_;
};

}  // namespace roomcast::bench
