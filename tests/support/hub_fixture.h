#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/deadlines.h"
#include "hub/hub.h"
#include "part/settings.h"
#include "support/fake_clock.h"
#include "support/fake_engine.h"
#include "support/fake_scheduler.h"

namespace roomcast::test {

/// The limits of a hub that is configured with nothing, but for HubLimits::page_bytes.
inline hub::HubLimits tiny_pages(std::size_t bytes) {
  hub::HubLimits limits = part::hub_limits({});
  limits.page_bytes = bytes;
  return limits;
}

/// The same, but for HubLimits::backlog_bytes.
inline hub::HubLimits small_backlog(std::size_t bytes) {
  hub::HubLimits limits = part::hub_limits({});
  limits.backlog_bytes = bytes;
  return limits;
}

/// A hub over an engine double, with a clock and a scheduler that stand still until the test moves them.
template <class Engine = FakeEngine>
struct HubFixture {
  explicit HubFixture(const hub::HubLimits& limits_ = part::hub_limits(config::Config()),
                      hub::RoomRules rules = part::room_rules(config::Config()))
      : limits(limits_), hub({engine, scheduler, clock, deadlines}, limits_, std::move(rules)) {}

  /// Ends the turn: does all that the hub and the flushes have to do.
  void turn() { scheduler.run_turn(hub); }
  /// Ends the turn, lets `ms` milliseconds pass, calls the deadlines that are due and ends that turn.
  void pass(std::int64_t ms) {
    turn();
    clock.advance(ms);
    deadlines.sweep();
    turn();
  }

  Engine engine;
  FakeScheduler scheduler;
  FakeClock clock;
  base::Deadlines deadlines{clock, 50};
  hub::HubLimits limits;
  hub::Hub hub;
};

}  // namespace roomcast::test
