#pragma once

#include <cstdint>
#include <string>

#include "config/config.h"

namespace roomcast::app {

/// How much memory the process may have, and where that is laid down.
struct MemoryCeiling {
  std::uint64_t bytes = 0;  ///< 0: unknown
  std::string from;         ///< for the log: "cgroup memory.max", "RLIMIT_AS", "physical memory" …
};

/// Limits of setrlimit(2); RLIM_INFINITY is the largest number.
struct ResourceLimits {
  std::uint64_t address_space = UINT64_MAX;  ///< RLIMIT_AS
  std::uint64_t data = UINT64_MAX;           ///< RLIMIT_DATA
};

/// The limits of this process.
[[nodiscard]] ResourceLimits resource_limits();

/// The smallest of: memory.max and memory.high of the process's cgroup and of all above it (version 2),
/// memory.limit_in_bytes of the same (version 1), `limits` less the address space already in use, and the
/// physical memory. Reads /proc and /sys/fs/cgroup below `root`, which is "/" but in tests.
[[nodiscard]] MemoryCeiling memory_ceiling(const std::string& root, const ResourceLimits& limits);

/// The bounds that the process keeps.
struct MemoryPlan {
  std::uint64_t memory_bytes = 0;          ///< limits.memory_bytes; where that is 0, 70 % of the ceiling
  std::uint64_t history_bytes = 0;         ///< history.total_bytes; if left as it is, at most a quarter of it
  std::uint64_t address_memory_bytes = 0;  ///< limits.address_memory_bytes; where that is 0, a quarter of it
  bool is_automatic = false;               ///< memory_bytes was made of the ceiling
  bool is_past_ceiling = false;            ///< memory_bytes is configured, and more than there is
};

[[nodiscard]] MemoryPlan plan_memory(const config::Config& config, const MemoryCeiling& ceiling);

}  // namespace roomcast::app
