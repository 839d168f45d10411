#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attack/innocents.h"
#include "attack/server_gauges.h"
#include "attack/swarm.h"

namespace roomcast::bench {

/// What one attack has shown.
struct AttackResult {
  std::string name;
  bool measures_latency = true;
  Experience health;
  Experience delivery;
  std::uint64_t bystanders_harmed = 0;
  std::int64_t bytes_before = -1;  ///< of the server's memory (`counted_bytes`); -1 where it is unknown
  std::int64_t bytes_peak = -1;
  std::int64_t bytes_after = -1;
  ServerGauges before;
  ServerGauges after;
  SwarmTally attacker;
  /// In words: what harm was done first, what the attacker could not do, how the server ended.
  std::vector<std::string> remarks;
  bool failed = false;  ///< the attack or the server did not last until the end

  [[nodiscard]] std::uint64_t harmed() const { return health.harmed + delivery.harmed + bystanders_harmed; }
  /// Turns of more than 25 ms while it lasted; nothing where the server does not say.
  [[nodiscard]] std::optional<std::uint64_t> long_turns() const;
};

/// What innocents may notice of an attack.
struct AttackGoals {
  std::int64_t p99_ns = 20'000'000;
  std::int64_t worst_ns = 100'000'000;
  /// Of the memory before and of what the server says that it keeps on purpose (ServerGauges::kept_bytes), as
  /// it has been given it. On top of that is what its allocator does not give back, without which a server of
  /// 4 MiB would miss any goal.
  double memory_share = 1.2;
  std::int64_t kept_bytes = std::int64_t{4} << 20;

  [[nodiscard]] bool meets_p99(const Latency& latency) const { return latency.percentile_ns(0.99) <= p99_ns; }
  [[nodiscard]] bool meets_worst(const Latency& latency) const { return latency.max_ns() <= worst_ns; }
  [[nodiscard]] bool meets_memory(const AttackResult& result) const;
  [[nodiscard]] bool meets(const AttackResult& result) const;
};

}  // namespace roomcast::bench
