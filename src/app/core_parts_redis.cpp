// The engine of servers that share their rooms over Redis: its metrics, and what /readyz says of it.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/core_parts.h"
#include "app/redis_backend.h"
#include "app/storage.h"
#include "metrics/exposition.h"

namespace roomcast::app {

namespace {

using metrics::Exposition;
using Server = engine::RedisRouter::Server;

constexpr double us_per_second = 1e6;

class RedisPart final : public part::Part {
 public:
  explicit RedisPart(const Core& core) : storage_(core.storage) {}

  [[nodiscard]] std::string readiness() const override {
    return storage_.redis() == nullptr ? std::string() : "redis: " + storage_.redis()->state() + '\n';
  }
  [[nodiscard]] bool is_ready() const override {
    return storage_.redis() == nullptr || storage_.redis()->is_ready();
  }

  void collect(Exposition& out) const override {
    const RedisBackend* const redis = storage_.redis();
    if (redis == nullptr) return;
    collect_link(out, *redis);
    collect_publishes(out, redis->engine());
    collect_messages(out, redis->engine().stats());
  }

 private:
  static void collect_link(Exposition& out, const RedisBackend& redis) {
    const engine::RedisRouter& router = redis.router();
    const std::vector<Server> servers = router.servers();
    const auto add = [&](const auto& value_of) {
      for (const Server& server : servers)
        out.sample({{"server", server.address}}, value_of(server));
    };
    out.gauge("roomcast_redis_up", "1 for a primary that can be reached.");
    add([](const Server& server) { return server.stats.is_up ? 1U : 0U; });
    out.gauge("roomcast_redis_partitions", "Of the 256 partitions of all rooms, those that a primary has.");
    add([](const Server& server) { return server.partitions; });
    out.single_gauge("roomcast_redis_unserved_partitions", "Partitions that no primary has.",
                     router.unserved_partitions());
    out.counter("roomcast_redis_reconnects_total",
                "Connections to Redis that ended, and attempts that failed.");
    add([](const Server& server) { return server.stats.reconnects; });
    out.gauge("roomcast_redis_round_trip_seconds", "How long Redis took to answer the last beat.");
    add([](const Server& server) { return static_cast<double>(server.stats.round_trip_us) / us_per_second; });
    out.counter("roomcast_redis_calls_total", "Calls of scripts.");
    add([](const Server& server) { return server.stats.calls; });
    out.counter("roomcast_redis_repeated_calls_total",
                "Calls that Redis had not done, and that were made again.");
    add([](const Server& server) { return server.stats.repeated; });
    out.gauge("roomcast_redis_inflight", "Calls that are not answered.");
    add([](const Server& server) { return server.stats.under_way; });
    out.counter("roomcast_redis_terms_total",
                "Partitions whose term was asked for: after a connection or a failover.");
    add([](const Server& server) { return server.stats.entered; });
    out.gauge("roomcast_redis_subscriptions", "Rooms that are subscribed.");
    add([](const Server& server) { return server.stats.subscriptions; });
    out.single_gauge("roomcast_redis_rooms", "Rooms that the engine knows.", redis.engine().rooms());
  }

  static void collect_publishes(Exposition& out, const engine::Redis& engine) {
    const engine::RedisStats& stats = engine.stats();
    out.single_gauge("roomcast_redis_queued_bytes", "Bytes that wait for Redis (redis.queue_bytes).",
                     engine.queued_bytes());
    out.counter("roomcast_redis_publishes_total", "Messages that were to be published, by outcome.");
    out.sample({{"outcome", "published"}}, stats.published);
    out.sample({{"outcome", "overloaded"}}, stats.refused_full);
    out.sample({{"outcome", "unavailable"}}, stats.refused_unavailable);
    out.sample({{"outcome", "timed_out"}}, stats.timed_out);
    out.single_counter("roomcast_redis_batches_total", "Calls in which those were published.", stats.batches);
  }

  static void collect_messages(Exposition& out, const engine::RedisStats& stats) {
    out.single_counter("roomcast_redis_pushes_total",
                       "Batches that came over subscriptions and were passed on.", stats.pushes);
    out.single_counter("roomcast_redis_dropped_pushes_total",
                       "Batches that came while a room was behind, and were read from its stream instead.",
                       stats.dropped_pushes);
    out.counter("roomcast_redis_holes_total",
                "Times that a room had to be read again, by how it was noticed.");
    out.sample({{"cause", "push"}}, stats.holes);
    out.sample({{"cause", "own"}}, stats.overdue_own);
    out.single_counter("roomcast_redis_syncs_total", "Times that the state of a room was read.", stats.syncs);
    out.single_counter("roomcast_redis_repaired_messages_total",
                       "Messages that were read from the stream of their room.", stats.repaired_messages);
    out.single_counter("roomcast_redis_forks_total",
                       "Rooms whose log was found to go on in another epoch, after a failover.", stats.forks);
    out.single_counter("roomcast_redis_lost_messages_total",
                       "Messages that had been delivered and that Redis has lost.", stats.lost_messages);
    out.single_counter("roomcast_redis_unreadable_total",
                       "Batches that were damaged, or are not of this program.", stats.unreadable);
  }

  const Storage& storage_;
};

}  // namespace

std::unique_ptr<part::Part> make_redis(const Core& core) { return std::make_unique<RedisPart>(core); }

}  // namespace roomcast::app
