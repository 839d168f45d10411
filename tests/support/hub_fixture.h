#pragma once

#include <cstdint>
#include <utility>

#include "base/deadlines.h"
#include "hub/hub.h"
#include "support/fake_clock.h"
#include "support/fake_engine.h"
#include "support/fake_scheduler.h"

namespace roomcast::test {

/// A hub over an engine double, with a clock and a scheduler that stand still until the test moves them.
template <class Engine = FakeEngine>
struct HubFixture {
  explicit HubFixture(const hub::HubLimits& limits_ = {}, hub::RoomRules rules = {})
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
