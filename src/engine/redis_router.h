#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "engine/redis_port.h"
#include "engine/redis_primary.h"
#include "redis/topology.h"

namespace roomcast::engine {

/// The port to several Redis servers, each of which has some of the partitions: to the primaries of a
/// cluster, or to the one that Sentinels name. Follows the layout that its topology tells: a partition that
/// is at another server now is left at the one and taken up at the other, and a server that has none any more
/// is left at once. What is published meanwhile waits in the engine.
class RedisRouter final : public RedisPort, private redis::Topology::Listener, private RedisPrimary::Owner {
 public:
  /// All of these outlive it.
  struct Parts {
    redis::Connection::Parts connection;
    base::Log& log;
    redis::Topology& topology;
  };
  /// One of the servers.
  struct Server {
    std::string address;
    std::size_t partitions = 0;
    RedisPrimaryStats stats;
    std::string_view why_down;
  };

  /// `options`: of each primary; the address and the partitions are those of the layout, the rest of the
  /// address (credentials, database) is the options'.
  RedisRouter(const Parts& parts, RedisPrimary::Options options);
  RedisRouter(const RedisRouter&) = delete;
  RedisRouter& operator=(const RedisRouter&) = delete;
  ~RedisRouter();

  /// All servers have both connections, and every partition has a server.
  [[nodiscard]] bool is_up() const;
  /// By address. What the texts refer to is valid until the next layout.
  [[nodiscard]] std::vector<Server> servers() const;
  /// Partitions that no server has: slots of the cluster that are not covered.
  [[nodiscard]] std::size_t unserved_partitions() const;
  /// Layouts that were told.
  [[nodiscard]] std::size_t layouts() const { return layouts_; }

  void start(RedisPort::Listener& listener) override;
  [[nodiscard]] bool has_space_for(RedisPartition partition, std::size_t bytes) const override;
  void subscribe(std::string_view room) override;
  void unsubscribe(std::string_view room) override;
  void publish(RedisCallId call, Publish&& publish) override;
  void amend(RedisCallId call, Publish&& publish, const Amend& amend) override;
  void sync(RedisCallId call, const Sync& sync) override;
  void presence(RedisCallId call, const RedisPresenceCall& what) override;
  void restore(RedisCallId call, const Restore& restore) override;

 private:
  struct Known {
    redis::ServerAddress address;
    std::unique_ptr<RedisPrimary> primary;
    RedisPartitionSet partitions{};
  };

  void on_layout(const redis::Layout& layout) override;
  void on_topology_lost(std::string_view why) override;
  void on_doubt(RedisPrimary& primary) override;

  [[nodiscard]] Known& find_or_make(const redis::ServerAddress& address);
  [[nodiscard]] RedisPrimary* primary_of(std::string_view room) const;

  Parts parts_;
  RedisPrimary::Options options_;
  RedisPort::Listener* listener_ = nullptr;
  std::vector<Known> known_;
  std::array<RedisPrimary*, redis_partitions> by_partition_{};  // null: no server has it
  std::size_t layouts_ = 0;
};

}  // namespace roomcast::engine
