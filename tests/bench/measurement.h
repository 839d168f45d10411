#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "load/latency.h"
#include "load/tally.h"

namespace roomcast::bench {

/// What every scenario counts.
struct Totals {
  std::uint64_t operations =
      0;  ///< deliveries, handshakes, round trips, or connections: what the scenario counts
  std::uint64_t expected = 0;       ///< as many should have been
  std::int64_t server_cpu_ns = -1;  ///< of the server process while they happened; -1 when it cannot be read
  std::int64_t wall_ns = 0;
  Latency latency;  ///< of a sample
  Faults faults;
  std::uint64_t refused = 0;  ///< connections that were not let in, or cut, against expectation

  [[nodiscard]] bool whole() const { return operations == expected && faults.none() && refused == 0; }
  [[nodiscard]] double cpu_ns_each() const {
    return operations == 0 || server_cpu_ns < 0
               ? 0
               : static_cast<double>(server_cpu_ns) / static_cast<double>(operations);
  }
};

/// What one run of one scenario against one server has shown.
struct Measurement : Totals {
  /// Further figures by name, in the order they are to be printed: {"server_bytes", 412.0}.
  struct Figure {
    std::string name;
    double value = 0;
  };
  std::vector<Figure> figures;
};

}  // namespace roomcast::bench
