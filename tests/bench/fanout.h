#pragma once

#include <cstddef>
#include <cstdint>

#include "server_process.h"

namespace roomcast::bench {

struct FanoutSettings {
  std::size_t subscribers = 1000;
  std::size_t message_bytes = 64;
  std::size_t messages = 200;
  std::int64_t interval_us = 10000;  ///< between messages, at least
};

struct FanoutResult {
  std::size_t deliveries = 0;  ///< counted by the subscribers
  std::size_t expected = 0;
  std::int64_t cpu_ns = 0;  ///< of the server, from the first publish to the last delivery
  [[nodiscard]] double ns_per_delivery() const {
    return static_cast<double>(cpu_ns) / static_cast<double>(deliveries == 0 ? 1 : deliveries);
  }
};

/// Connects the subscribers to /rooms/bench over WebSocket, has the first publish one message after the
/// other, each when the one before has arrived everywhere, and counts what all of them receive. Gives up 10 s
/// after the last publish would be due.
FanoutResult run_fanout(const ServerProcess& server, const FanoutSettings& settings);

}  // namespace roomcast::bench
