#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/log.h"
#include "engine/redis.h"
#include "engine/redis_router.h"
#include "net/dialer.h"
#include "redis/topology.h"
#include "support/redis_engine.h"
#include "support/redis_room_reader.h"
#include "support/socket_fixture.h"

namespace roomcast::test {

/// The Redis engine of one node, which finds its servers by a topology of its own.
struct RedisRouterNode {
  template <class MakeTopology>
  RedisRouterNode(SocketFixture& fixture, std::uint64_t number, bool is_sharded, const MakeTopology& make)
      : dialer({fixture.loop, fixture.sockets, fixture.deadlines}),
        parts{dialer, nullptr, nullptr, fixture.loop, fixture.turn, fixture.deadlines},
        topology(make(parts)),
        router({parts, log, *topology}, options(number, is_sharded)),
        engine({router, fixture.loop, fixture.deadlines, fixture.turn, log}, number, redis_rules(10'000),
               {}) {
    engine.start(reader);
  }

  static engine::RedisPrimary::Options options(std::uint64_t number, bool is_sharded) {
    engine::RedisPrimary::Options made;
    made.connection.wait_ms = 5;
    made.connection.wait_max_ms = 50;
    made.node = "node-" + std::to_string(number);
    made.grace_ms = 0;
    made.is_sharded = is_sharded;
    made.beat_ms = 100;
    return made;
  }
  [[nodiscard]] bool is_in_step() const { return router.is_up() && engine.is_in_step(); }

  base::Log log{base::LogLevel::error, base::LogFormat::text};
  RedisRoomReader reader;
  net::Dialer dialer;
  redis::Connection::Parts parts;
  std::unique_ptr<redis::Topology> topology;
  engine::RedisRouter router;
  engine::Redis engine;
};

}  // namespace roomcast::test
