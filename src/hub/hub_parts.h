#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/deadlines.h"
#include "base/scheduler.h"
#include "hub/engine.h"

namespace roomcast::hub {

/// Bounds of the hub. Those without a value here are derived from the configuration (part::hub_limits).
struct HubLimits {
  /// Messages accepted and not yet delivered to every member, as FanOut::backlog_cost counts them; past it
  /// publishes wait.
  std::size_t backlog_bytes = std::size_t{8} << 20U;
  /// All histories together, and what it costs to remember rooms at all.
  std::size_t history_bytes;
  /// Payload bytes delivered at a time to a member, or one message: well below what a client may have
  /// queued.
  std::size_t page_bytes = 131'072;
  /// The part of backlog_bytes that one room may have.
  std::size_t room_backlog_bytes = std::size_t{2} << 20U;
  /// Publishes that wait, at most, as DelayedPublishes counts them; further ones are refused.
  std::size_t delayed_bytes = std::size_t{32} << 20U;
  /// How long a publish may wait.
  std::int64_t delayed_ms = 10'000;
  /// What it may cost to remember the rooms that have members.
  std::size_t room_bytes;
  /// How long the engine may take to open a room, to give a message its position, or to read a page.
  std::int64_t engine_ms = 10'000;
};

struct HubStats {
  std::uint64_t published = 0;   ///< messages that came in through on_message
  std::uint64_t deliveries = 0;  ///< messages × members delivered live
  std::uint64_t replayed = 0;    ///< messages × members delivered from history
  std::uint64_t gaps = 0;        ///< gaps that members were notified of
  std::uint64_t refused = 0;     ///< publishes refused here
  std::uint64_t repeated = 0;    ///< messages that the engine brought once more
  std::uint64_t lost = 0;        ///< times that a room's messages stopped following each other
};

/// What the hub uses; outlives it.
struct HubParts {
  Engine& engine;
  base::Scheduler& scheduler;
  const base::Clock& clock;
  base::Deadlines& deadlines;
};

}  // namespace roomcast::hub
