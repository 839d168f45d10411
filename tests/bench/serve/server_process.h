#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "load/target.h"

namespace roomcast::bench {

/// A server under measurement: started by the tool, on a CPU of its own where there are two, killed at the
/// end.
class ServerProcess {
 public:
  /// Runs `command` on `cpu` (-1: anywhere) and waits, at most 10 s, for the first `http://127.0.0.1:PORT` or
  /// `https://127.0.0.1:PORT` on its standard error. Throws std::runtime_error with what it printed instead.
  ServerProcess(const std::vector<std::string>& command, int cpu);
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  [[nodiscard]] const Target& target() const { return target_; }

 private:
  void wait_until_ready();

  pid_t pid_ = -1;
  int errors_ =
      -1;  ///< its standard error, read on by nobody: the pipe is drained by a server that logs little
  Target target_;
};

/// Binds the calling process to one CPU; does nothing for -1 or when there is no such CPU.
void pin_to_cpu(int cpu);

}  // namespace roomcast::bench
