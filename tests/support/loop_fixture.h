#pragma once

#include <cstdint>

#include "base/deadlines.h"
#include "loop/handles.h"
#include "loop/loop.h"
#include "loop/turn.h"

namespace roomcast::test {

/// A loop with its turn and deadlines. The destructor of the loop aborts the test program if a handle was
/// left open.
struct LoopFixture : private loop::Timer::Listener {
  loop::Loop loop;
  loop::Turn turn{loop, 2'000};
  base::Deadlines deadlines{loop, 5};
  loop::Sweep sweep{loop, deadlines};

  /// Runs turns until `done()`; false if that takes longer than `limit_ms`.
  template <class Done>
  bool run_until(const Done& done, std::int64_t limit_ms = 20'000) {
    loop::Timer limit(loop, *this);
    limit.start_once(limit_ms);
    // The tick causes turns for conditions that no event announces.
    loop::Timer tick(loop, *this);
    tick.start_every(1);
    while (!done()) {
      if (!limit.is_active()) return false;
      loop.run_turn();
    }
    return true;
  }
  /// Runs a few turns without sleeping, to show that something does not happen.
  void run_idle_turns(int turns = 20) {
    for (int i = 0; i < turns; ++i)
      loop.run_turn_without_waiting();
  }

 private:
  void on_timer(loop::Timer& /*timer*/) override {}
};

}  // namespace roomcast::test
