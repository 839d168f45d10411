#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "load/target.h"
#include "serve/forked_process.h"

namespace roomcast::bench {

/// A room's subscribers in a process of their own, since one process has not descriptors enough for all. It
/// does what it is ordered and reports how far it is; pings of the server it answers all the time.
class CrowdProcess {
 public:
  enum class Order : std::uint8_t {
    open,     ///< all clients connect
    ping,     ///< each that is open sends a ping
    publish,  ///< one message to the room
    leave,    ///< all are cut, with a reset: nothing of them lingers in the kernel
  };

  /// How far it is with the last order. Counted from the beginning.
  struct Report {
    bool done = false;             ///< nothing more is awaited: each client has been served, or is gone
    bool broken = false;           ///< an exception ended it; see `complaint`
    std::uint32_t open = 0;        ///< now
    std::uint64_t refused = 0;     ///< not let in, or cut
    std::uint64_t pongs = 0;       ///< since the last order
    std::uint64_t deliveries = 0;  ///< each of one message to one client
    std::uint64_t repeated = 0;    ///< and messages that were never sent
    char complaint[120] = {};      ///< the first that there was
  };

  /// Throws std::system_error. `target` and `clients` as of `Crowd`; nothing connects yet.
  CrowdProcess(const Target& target, std::size_t clients);

  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  /// Readable when there is a new report.
  [[nodiscard]] int descriptor() const { return process_.channel(); }

  /// Only when the last one is done.
  void give(Order order);
  /// Takes in what has been reported meanwhile, and gives the newest. Throws std::runtime_error when the
  /// process is broken or gone.
  const Report& report();
  /// The newest that `report` has given.
  [[nodiscard]] const Report& newest() const { return report_; }

 private:
  ForkedProcess process_;
  Report report_{.done = true};
};

}  // namespace roomcast::bench
