#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attack/swarm.h"
#include "load/target.h"

namespace roomcast::bench {

/// What an attacker has to work with, in a process of its own.
struct Arena {
  const Target& target;
  std::int64_t duration_ns = 0;  ///< of the attack, from when everything is ready for it
};

/// Runs a swarm of the plan for as long as the arena says. Throws like `Swarm`.
[[nodiscard]] SwarmTally carry_out(const Arena& arena, SwarmPlan plan);

/// Healthy clients that the attack is aimed at or passes by, besides those that are measured: none of them
/// may be closed. They read as fast as they can, from a process of their own.
struct Bystanders {
  std::size_t count = 0;
  std::string_view room = "crowded";
  std::size_t polls = 0;  ///< as many long polls beside them, in the same room
};

/// A row of the table: one way to hurt others with what the protocol allows.
struct Attack {
  std::string_view name;
  /// Carries it out for as long as the arena says. May throw.
  SwarmTally (*run)(const Arena&) = nullptr;
  Bystanders bystanders{};
  /// Settings of the server besides its defaults: "limits.connections=1000".
  std::vector<std::string> settings{};
  bool tls = false;
  bool unread_log = false;         ///< the server's standard error is a pipe that is not read
  bool fresh_connections = false;  ///< each GET /healthz comes on a connection of its own
  bool retries_a_publish = false;  ///< an innocent publishes with a key before, and once more afterwards
  bool measures_latency = true;    ///< not where the server as a whole stands still
};

/// All that `roomcast-bench attack` does, in the order of the table. The first one attacks nothing: what it
/// shows is the machine's.
[[nodiscard]] std::vector<Attack> all_attacks();

}  // namespace roomcast::bench
