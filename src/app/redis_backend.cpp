#include "app/redis_backend.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "base/digest.h"
#include "part/settings.h"
#include "redis/cluster_topology.h"
#include "redis/sentinel.h"

namespace roomcast::app {

namespace {

constexpr std::int64_t look_ms = 250;
constexpr std::int64_t flush_tick_ms = 10;

engine::Redis::Limits redis_limits(const config::Config& config) {
  engine::Redis::Limits limits;
  limits.publish_ms = config.redis.publish_ms;
  limits.linger_ms = config.redis.linger_ms;
  limits.restores = config.redis.recover_ms != 0;
  limits.queue_bytes = static_cast<std::size_t>(config.redis.queue_bytes);
  return limits;
}

redis::Connection::Parts connection_parts(const RedisBackend::Parts& parts, net::Dialer& dialer,
                                          const net::TlsClientContext& tls) {
  return {dialer, &parts.tls, &tls, parts.loop, parts.turn, parts.deadlines};
}

/// Who finds out where the primaries are.
std::unique_ptr<redis::Topology> make_topology(const redis::Connection::Parts& parts,
                                               const RedisSetup& setup) {
  if (!setup.sentinel.empty()) {
    redis::SentinelTopology::Options options;
    options.name = setup.sentinel;
    options.sentinels = setup.addresses;
    options.handshake.client_name = setup.connection.handshake.client_name;
    options.connect_ms = setup.connection.connect_ms;
    return std::make_unique<redis::SentinelTopology>(parts, std::move(options));
  }
  if (!setup.is_cluster) return std::make_unique<redis::SingleTopology>(setup.addresses.front());
  redis::ClusterTopology::Options options;
  options.seeds = setup.addresses;
  options.connection = setup.connection;
  return std::make_unique<redis::ClusterTopology>(parts, std::move(options));
}

engine::RedisPrimary::Options primary_options(const RedisSetup& setup, const config::Config& config) {
  constexpr std::int64_t ms_per_second = 1'000;
  engine::RedisPrimary::Options options;
  options.connection = setup.connection;
  options.prefix = config.redis.prefix;
  options.node = setup.node;
  options.grace_ms = config.redis.recover_ms;
  options.room_seconds = config.redis.room_ms / ms_per_second;
  options.is_sharded = setup.is_cluster;
  return options;
}

}  // namespace

RedisBackend::RedisBackend(const Parts& parts, RedisSetup&& setup, const config::Config& config)
    : parts_(parts),
      ready_ms_(config.redis.ready_ms),
      dialer_({parts.loop, parts.sockets, parts.deadlines}),
      tls_(std::move(setup.tls)),
      topology_(make_topology(connection_parts(parts, dialer_, tls_), setup)),
      router_({connection_parts(parts, dialer_, tls_), parts.log, *topology_},
              primary_options(setup, config)),
      engine_({router_, parts.loop, parts.deadlines, parts.turn, parts.log}, base::random_u64(),
              part::room_rules(config), redis_limits(config)),
      look_(parts.deadlines, *this) {
  parts.log.info("rooms are shared over Redis", {{"node", setup.node}, {"prefix", config.redis.prefix}});
  look_.set_in(look_ms);
}

bool RedisBackend::is_ready() const {
  if (has_been_up_ && parts_.loop.monotonic_ms() - last_up_ms_ < ready_ms_) return true;
  return router_.is_up();
}

std::string RedisBackend::state() const {
  if (router_.is_up()) return "up";
  for (const engine::RedisRouter::Server& server : router_.servers()) {
    if (!server.why_down.empty()) return std::string(server.why_down);
  }
  return "not connected yet";
}

void RedisBackend::on_deadline() {
  look_at_link();
  look_.set_in(look_ms);
}

void RedisBackend::look_at_link() {
  if (!router_.is_up()) return;
  has_been_up_ = true;
  last_up_ms_ = parts_.loop.monotonic_ms();
}

void RedisBackend::flush() {
  loop::Timer limit(parts_.loop, *this);
  loop::Timer tick(parts_.loop, *this);  // of turns in which nothing happens
  limit.start_once(flush_ms);
  tick.start_every(flush_tick_ms);
  while (engine_.queued_bytes() != 0 && router_.is_up() && limit.is_active())
    parts_.loop.run_turn();
  if (engine_.queued_bytes() == 0) return;
  parts_.log.warn("stopped before all messages could be published",
                  {{"queued_bytes", engine_.queued_bytes()}, {"redis", state()}});
}

void RedisBackend::apply(const config::Config& config) {
  engine_.set_rules(part::room_rules(config));
  engine_.set_limits(redis_limits(config));
}

}  // namespace roomcast::app
