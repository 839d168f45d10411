#pragma once

#include <cstdint>
#include <string>

#include "base/log.h"
#include "engine/redis.h"
#include "engine/redis_primary.h"
#include "net/dialer.h"
#include "support/redis_engine.h"
#include "support/redis_server.h"
#include "support/socket_fixture.h"

namespace roomcast::test {

/// The Redis engine of one node, connected to a real server on a Unix socket.
struct RedisNode {
  RedisNode(SocketFixture& fixture, const std::string& path, std::uint64_t number,
            std::size_t messages = 1'000, std::int64_t grace_ms = 0)
      : dialer({fixture.loop, fixture.sockets, fixture.deadlines}),
        primary({{dialer, nullptr, nullptr, fixture.loop, fixture.turn, fixture.deadlines}, log},
                options(path, number, grace_ms)),
        engine({primary, fixture.loop, fixture.deadlines, fixture.turn, log}, number, redis_rules(messages),
               {}) {}

  static engine::RedisPrimary::Options options(const std::string& path, std::uint64_t number,
                                               std::int64_t grace_ms) {
    engine::RedisPrimary::Options made;
    made.connection.address.scheme = redis::ServerAddress::Scheme::unix_socket;
    made.connection.address.path = path;
    made.connection.wait_ms = 5;
    made.connection.wait_max_ms = 20;
    made.node = "node-" + std::to_string(number);
    made.grace_ms = grace_ms;
    return made;
  }
  [[nodiscard]] bool is_in_step() const { return primary.stats().is_up && engine.is_in_step(); }

  base::Log log{base::LogLevel::error, base::LogFormat::text};
  net::Dialer dialer;
  engine::RedisPrimary primary;
  engine::Redis engine;
};

}  // namespace roomcast::test
