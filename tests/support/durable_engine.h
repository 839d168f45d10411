#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/deadlines.h"
#include "base/log.h"
#include "engine/durable.h"
#include "support/fake_clock.h"
#include "support/fake_room_store.h"
#include "support/fake_scheduler.h"

namespace roomcast::test {

inline hub::RoomRules rules_of(hub::Durability durability) {
  return hub::RoomRules({{1'000, 1'000'000, 3'600'000}, {3'000, 100}, durability});
}

/// A durable engine over a store that the test moves on.
struct DurableEngine {
  explicit DurableEngine(FakeRoomStore& store_, hub::Durability durability, FakeClock& clock_)
      : store(store_),
        clock(clock_),
        engine({store_, clock_, deadlines, scheduler, log}, rules_of(durability), {5'000}) {}

  /// The disk does all that it has been asked for, and what comes of it happens.
  void settle() {
    for (int i = 0; i < 100; ++i) {
      store.answer_loads();
      store.commit();
      store.answer_reads();
      scheduler.flush();
      scheduler.flush_deferred();
      if (store.is_idle() && i > 3) return;
    }
  }
  /// `ms` milliseconds pass, and the deadlines that are due are called.
  void pass(std::int64_t ms) {
    clock.advance(ms);
    deadlines.sweep();
  }

  FakeRoomStore& store;
  FakeClock& clock;
  FakeScheduler scheduler;
  base::Deadlines deadlines{clock, 50};
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  engine::Durable engine;
};

}  // namespace roomcast::test
