#pragma once

#include <cstdint>
#include <memory>

#include "attack/attack.h"
#include "load/target.h"
#include "serve/forked_process.h"

namespace roomcast::bench {

/// The bystanders of an attack, in a process of their own that reports how they fare.
class BystanderProcess {
 public:
  struct Report {
    std::uint32_t open = 0;    ///< now
    std::uint64_t harmed = 0;  ///< refused, or closed by the server
    char complaint[120] = {};  ///< the first there was
  };

  /// They connect at once. Throws std::system_error.
  BystanderProcess(const Target& target, const Bystanders& bystanders);

  /// Waits until all are open or `deadline_ns` (CLOCK_MONOTONIC) has come; whether they are.
  [[nodiscard]] bool wait_until_open(std::int64_t deadline_ns);
  /// The newest.
  const Report& report();

 private:
  std::uint64_t expected_;
  ForkedProcess process_;
  Report report_;
};

}  // namespace roomcast::bench
