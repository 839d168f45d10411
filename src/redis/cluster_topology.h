#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadlines.h"
#include "base/scheduler.h"
#include "redis/cluster_layout.h"
#include "redis/connection.h"
#include "redis/topology.h"

namespace roomcast::redis {

/// The layout of a Redis Cluster: asks one of its servers for CLUSTER SHARDS, at start, every ask_ms, and for
/// a while after each doubt every doubt_ms, since it takes the cluster some time to notice that a primary is
/// gone. Begins with the seeds, then knows all servers that the cluster names. One that can't be reached or
/// has nothing new after a doubt is followed by the next, so that a server that has lost touch with the
/// others does not decide what is true; neither does one that knows only of an earlier epoch of the cluster,
/// as long as any other answers.
///
/// Users need the rights `+cluster|shards +cluster|info` beside those of the handshake.
class ClusterTopology final : public Topology, private Connection::Owner, private base::Deadline::Listener {
 public:
  struct Options {
    std::vector<ServerAddress> seeds;  ///< at least one; replicas will do
    Connection::Options connection{};  ///< of each connection, but for the address
    std::int64_t ask_ms = 30'000;
    std::int64_t doubt_ms = 250;
  };

  /// All of `parts` outlive it.
  ClusterTopology(const Connection::Parts& parts, Options options);
  ~ClusterTopology() override;

  void start(Topology::Listener& listener) override;
  void doubt() override;

  /// Questions that were sent.
  [[nodiscard]] std::uint64_t asked() const { return asked_; }

  /// For so long after a doubt it goes on asking.
  static constexpr std::int64_t doubted_ms = 5'000;
  /// Servers that are remembered.
  static constexpr std::size_t servers_max = 256;

 private:
  /// A connection that may be on the stack when the next one takes its place.
  struct Asker;
  class ShardsAnswer;
  class SlotsAnswer;
  class EpochAnswer;

  void on_connected(Connection& connection, const ServerInfo& server) override;
  void on_disconnected(Connection& connection, std::string_view why) override;
  void on_push(Connection& connection, const Value& value) override;
  void on_deadline() override;

  void connect();
  void try_next(std::string_view why);
  void ask();
  void on_epoch(const Value& reply);
  void on_shards(const Value& reply);
  void on_slots(const Value& reply);
  void take(const Value& reply, std::optional<ClusterView>&& view);
  void remember(std::vector<ServerAddress> servers);
  void wait();

  Connection::Parts parts_;
  Options options_;
  Topology::Listener* listener_ = nullptr;
  std::vector<ServerAddress> servers_;
  std::size_t present_ = 0;  // of servers_
  std::unique_ptr<Asker> asker_;
  std::size_t failed_ = 0;  // servers in a row that had no answer, or an old one
  bool is_lost_ = false;    // the listener has been told
  bool is_asking_ = false;
  std::uint64_t answered_epoch_ = 0;  // of the answer that is to come next
  Layout layout_;                     // as told
  std::uint64_t epoch_ = 0;           // of it
  std::int64_t doubted_until_ms_ = 0;
  std::int64_t asked_ms_ = 0;  // when it asked last
  std::size_t unchanged_ = 0;  // answers in a row while there is a doubt
  std::uint64_t asked_ = 0;
  base::Deadline due_;
};

}  // namespace roomcast::redis
