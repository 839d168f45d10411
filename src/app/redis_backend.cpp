#include "app/redis_backend.h"

#include <cstddef>
#include <utility>

#include "base/digest.h"
#include "part/settings.h"

namespace roomcast::app {

namespace {

engine::Redis::Limits redis_limits(const config::Config& config) {
  engine::Redis::Limits limits;
  limits.publish_ms = config.redis.publish_ms;
  limits.linger_ms = config.redis.linger_ms;
  limits.queue_bytes = static_cast<std::size_t>(config.redis.queue_bytes);
  return limits;
}

engine::RedisPrimary::Options primary_options(RedisSetup&& setup, const config::Config& config) {
  constexpr std::int64_t ms_per_second = 1'000;
  engine::RedisPrimary::Options options;
  options.connection = std::move(setup.connection);
  options.prefix = config.redis.prefix;
  options.node = std::move(setup.node);
  options.grace_ms = config.redis.recover_ms;
  options.room_seconds = config.redis.room_ms / ms_per_second;
  return options;
}

}  // namespace

RedisBackend::RedisBackend(const Parts& parts, RedisSetup&& setup, const config::Config& config)
    : dialer_({parts.loop, parts.sockets, parts.deadlines}),
      tls_(std::move(setup.tls)),
      primary_({{dialer_, &parts.tls, &tls_, parts.loop, parts.turn, parts.deadlines}, parts.log},
               primary_options(std::move(setup), config)),
      engine_({primary_, parts.loop, parts.deadlines, parts.turn, parts.log}, base::random_u64(),
              part::room_rules(config), redis_limits(config)) {}

void RedisBackend::apply(const config::Config& config) {
  engine_.set_rules(part::room_rules(config));
  engine_.set_limits(redis_limits(config));
}

}  // namespace roomcast::app
