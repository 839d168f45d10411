// Nodes over a real Redis Cluster whose primaries fail over, die and hand over slots.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "redis/cluster_topology.h"
#include "support/redis_cluster.h"
#include "support/redis_router_node.h"

namespace redis_cluster_test {

using namespace roomcast;

namespace {

constexpr std::size_t node_count = 2;

/// A room for each partition.
std::vector<std::string> rooms_of_all_partitions() {
  std::vector<std::string> rooms(engine::redis_partitions);
  std::size_t left = rooms.size();
  for (int i = 0; left != 0; ++i) {
    const std::string name = "room" + std::to_string(i);
    std::string& room = rooms[engine::redis_partition_of(name)];
    if (!room.empty()) continue;
    room = name;
    --left;
  }
  return rooms;
}

struct Nodes {
  Nodes() : rooms(rooms_of_all_partitions()) {
    for (std::size_t i = 0; i < node_count; ++i) {
      nodes.push_back(std::make_unique<test::RedisRouterNode>(
          sockets, i + 1, true, [&](const redis::Connection::Parts& parts) {
            redis::ClusterTopology::Options options;
            // One of them a replica.
            options.seeds = {cluster.address(5 - i)};
            options.connection.wait_ms = 5;
            options.doubt_ms = 100;
            return std::make_unique<redis::ClusterTopology>(parts, options);
          }));
      for (const std::string& room : rooms)
        nodes[i]->engine.subscribe(room, 0);
    }
    settle();
  }
  test::RedisRoomReader& reader(std::size_t i) { return nodes[i]->reader; }
  /// A message into each room, by one node and the other.
  void publish_some() {
    for (const std::string& room : rooms) {
      ++asked;
      nodes[asked % node_count]->engine.publish(
          room, {hub::Kind::text, base::Bytes::copy_of(std::to_string(asked)), {}, 0}, asked);
    }
  }
  [[nodiscard]] bool is_settled() const {
    std::size_t outcomes = 0;
    for (const auto& node : nodes) {
      if (!node->is_in_step() || node->reader.rooms.size() != rooms.size()) return false;
      outcomes += node->reader.outcomes;
    }
    if (outcomes != asked) return false;
    for (const auto& [name, room] : nodes[0]->reader.rooms) {
      if (nodes[1]->reader.rooms.at(name).top != room.top) return false;
    }
    return true;
  }
  void settle() {
    REQUIRE(sockets.run_until([&] { return is_settled(); }, 60'000));
  }
  /// Publishes all the while that `disturb` takes, which runs on a thread of its own, and until all servers
  /// are reached again.
  void publish_during(const std::function<void()>& disturb) {
    bool is_over = false;
    std::thread thread([&] {
      disturb();
      __atomic_store_n(&is_over, true, __ATOMIC_RELEASE);
    });
    std::size_t outcomes = asked;
    const bool ended = sockets.run_until(
        [&] {
          if (reader(0).outcomes + reader(1).outcomes == outcomes) {
            publish_some();
            outcomes = asked;
          }
          return __atomic_load_n(&is_over, __ATOMIC_ACQUIRE);
        },
        60'000);
    thread.join();
    CHECK(ended);
    publish_some();
    settle();
    publish_some();
    settle();
  }
  /// What both have of a room is the same at each offset, and nothing came out of order.
  void check_agreement() {
    CHECK(reader(0).holes == 0);
    CHECK(reader(1).holes == 0);
    std::size_t differences = 0;
    for (const std::string& room : rooms) {
      const auto& other = reader(1).room(room).got;
      for (const auto& [offset, text] : reader(0).room(room).got) {
        const auto found = other.find(offset);
        if (found != other.end() && found->second != text) ++differences;
      }
    }
    CHECK(differences == 0);
  }
  /// All that was answered stands where the answer said, for all nodes.
  std::size_t missing() {
    std::size_t count = 0;
    for (std::size_t i = 0; i < node_count; ++i) {
      for (const auto& [ticket, position] : reader(i).answered) {
        const std::string& room = rooms[(ticket - 1) % rooms.size()];
        for (std::size_t other = 0; other < node_count; ++other) {
          const auto& got = reader(other).room(room).got;
          const auto found = got.find(position.offset);
          if (found == got.end() || found->second != std::to_string(ticket)) ++count;
        }
      }
    }
    return count;
  }

  test::RedisCluster cluster;
  test::SocketFixture sockets;
  const std::vector<std::string> rooms;
  std::vector<std::unique_ptr<test::RedisRouterNode>> nodes;
  std::size_t asked = 0;
};

}  // namespace

TEST_CASE(
    "redis cluster: rooms of all partitions, planned failovers, slots that move and come back, a new "
    "primary") {
  if (!test::RedisServer::is_installed()) return;
  Nodes nodes;
  test::RedisCluster& cluster = nodes.cluster;
  CHECK(nodes.nodes[0]->router.servers().size() == test::RedisCluster::primaries);
  for (const auto& server : nodes.nodes[0]->router.servers()) {
    CHECK(server.partitions >= 85);
    CHECK(server.partitions <= 86);
  }
  for (int i = 0; i < 5; ++i)
    nodes.publish_some();
  nodes.settle();
  CHECK(nodes.reader(0).messages == 5 * nodes.rooms.size());
  CHECK(nodes.missing() == 0);
  const auto check_all_there = [&] {
    nodes.check_agreement();
    CHECK(nodes.missing() == 0);
    CHECK(nodes.reader(0).gaps + nodes.reader(1).gaps == 0);
    CHECK(nodes.reader(0).refused + nodes.reader(1).refused == 0);
    INFO(nodes.reader(0).last_refusal);
  };

  // A replica takes over when it has all of the primary's data.
  const std::size_t old = cluster.primary_of(32);
  const std::size_t replica = cluster.replica_of(old);
  REQUIRE(replica < cluster.size());
  nodes.publish_during([&] {
    CHECK(cluster.ask(replica, "CLUSTER FAILOVER").starts_with("OK"));
    test::RedisCluster::await([&] { return cluster.is_primary(replica) && !cluster.is_primary(old); });
  });
  check_all_there();

  // 100 slots, which have a partition or two, go to another primary, and come back.
  const std::size_t from = cluster.primary_of(32);
  const std::size_t to = cluster.primary_of(16'352);
  REQUIRE(from != to);
  const auto reshard = [&](std::size_t giver, std::size_t taker, const std::string& slots) {
    test::RedisCluster::run("--cluster reshard " + cluster.place(taker) + " --cluster-from " +
                            cluster.id(giver) + " --cluster-to " + cluster.id(taker) + " --cluster-slots " +
                            slots + " --cluster-yes >/dev/null");
  };
  const std::uint64_t forks = nodes.nodes[0]->engine.stats().forks;
  nodes.publish_during([&] { reshard(from, to, "100"); });
  const auto at = [&](std::size_t server) {
    const std::string address = cluster.address(server).to_text();
    for (const auto& one : nodes.nodes[0]->router.servers()) {
      if (one.address == address) return one.partitions;
    }
    return std::size_t{0};
  };
  CHECK(at(to) > 86);
  CHECK(at(from) < 85);
  CHECK(nodes.nodes[0]->engine.stats().forks > forks);
  nodes.publish_during([&] { reshard(to, from, "100"); });
  check_all_there();

  // A new primary joins, and takes a part of another.
  cluster.add();
  const std::size_t added = cluster.size() - 1;
  nodes.publish_during([&] {
    test::RedisCluster::run("--cluster add-node " + cluster.place(added) + " " + cluster.place(to));
    test::RedisCluster::await([&] { return cluster.is_whole(cluster.size()); });
    reshard(to, added, "150");
  });
  check_all_there();
  CHECK(at(added) >= 2);

  // And gives back all that it has: it is left.
  nodes.publish_during([&] { reshard(added, to, "150"); });
  check_all_there();
  CHECK(nodes.sockets.run_until([&] {
    return nodes.nodes[0]->router.servers().size() == test::RedisCluster::primaries &&
           nodes.nodes[1]->router.servers().size() == test::RedisCluster::primaries;
  }));
}

TEST_CASE(
    "redis cluster: a primary that is killed takes what its replica has not got, and nobody differs about "
    "the rest") {
  if (!test::RedisServer::is_installed()) return;
  Nodes nodes;
  nodes.publish_some();
  nodes.settle();
  const std::size_t killed = nodes.cluster.primary_of(32);
  const std::size_t replica = nodes.cluster.replica_of(killed);
  const std::size_t asked_of = nodes.cluster.primary_of(16'352);
  REQUIRE(replica < nodes.cluster.size());
  nodes.publish_during([&] {
    nodes.cluster.server(killed).send_signal(SIGKILL);
    test::RedisCluster::await([&] { return nodes.cluster.is_primary(replica); });
    test::RedisCluster::await([&] {
      return nodes.cluster.ask(asked_of, "CLUSTER INFO").find("cluster_state:ok") != std::string::npos;
    });
  });
  nodes.check_agreement();
  // What is missing nodes were told of, as gaps.
  const std::size_t missing = nodes.missing();
  const int gaps = nodes.reader(0).gaps + nodes.reader(1).gaps;
  CHECK((missing == 0 || gaps != 0));
  CHECK(nodes.nodes[0]->engine.stats().lost_messages + nodes.nodes[1]->engine.stats().lost_messages >=
        missing / 2);
  for (const auto& server : nodes.nodes[0]->router.servers())
    CHECK(server.why_down.empty());
}

}  // namespace redis_cluster_test
