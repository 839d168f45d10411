#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace roomcast::bench {

/// A server under measurement: started pinned to one CPU, killed at the end.
class ServerProcess {
 public:
  /// Runs `command` on `cpu` and waits for the first `http://127.0.0.1:PORT` on its standard error.
  ServerProcess(const std::vector<std::string>& command, int cpu);
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// CPU time so far, user and system, of all its threads.
  [[nodiscard]] std::int64_t cpu_ns() const;

 private:
  pid_t pid_ = -1;
  int errors_ = -1;
  std::uint16_t port_ = 0;
};

/// Binds the calling process to one CPU.
void pin_to_cpu(int cpu);

}  // namespace roomcast::bench
