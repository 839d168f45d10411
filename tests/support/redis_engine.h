#pragma once

#include <cstddef>
#include <cstdint>

#include "base/deadlines.h"
#include "base/log.h"
#include "engine/redis.h"
#include "support/fake_clock.h"
#include "support/fake_redis.h"
#include "support/fake_scheduler.h"

namespace roomcast::test {

inline hub::RoomRules redis_rules(std::size_t messages = 1'000) {
  return hub::RoomRules({{messages, 1'000'000, 3'600'000}, {3'000, 100}});
}

/// A Redis engine over a model of Redis that the test moves on: one node of it.
struct RedisEngine {
  RedisEngine(FakeRedis& redis, FakeClock& clock_, std::uint64_t node, std::size_t messages = 1'000)
      : clock(clock_),
        port(redis),
        engine({port, clock_, deadlines, scheduler, log}, node, redis_rules(messages), {}) {}

  void flush() {
    scheduler.flush();
    scheduler.flush_deferred();
  }
  /// All that is asked for is answered, and what comes of it happens.
  void settle() {
    for (int i = 0; i < 1'000; ++i) {
      flush();
      const bool has_answered = port.answer_one();
      const bool has_pushed = port.push_one();
      flush();
      if (!has_answered && !has_pushed && port.is_idle()) return;
    }
  }
  /// `ms` milliseconds pass, and the deadlines that are due are called.
  void pass(std::int64_t ms) {
    clock.advance(ms);
    deadlines.sweep();
    flush();
  }

  FakeClock& clock;
  FakeScheduler scheduler;
  base::Deadlines deadlines{clock, 50};
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  FakeRedisPort port;
  engine::Redis engine;
};

}  // namespace roomcast::test
