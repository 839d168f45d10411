// Nodes over two or three real servers, whose partitions the test moves about.
#include "engine/redis_router.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "support/fake_topology.h"
#include "support/redis_router_node.h"
#include "support/redis_server.h"

namespace redis_router_test {

using namespace roomcast;
using test::FakeTopology;

namespace {

/// A room of the first partitions, and one of the last.
std::string room_of(bool is_first) {
  for (int i = 0;; ++i) {
    const std::string name = "room" + std::to_string(i);
    const std::size_t partition = engine::redis_partition_of(name);
    if (is_first ? partition < 64 : partition >= 192) return name;
  }
}

struct Nodes {
  explicit Nodes(bool is_sharded = false) {
    for (std::size_t i = 0; i < 2; ++i) {
      nodes.push_back(std::make_unique<test::RedisRouterNode>(sockets, i + 1, is_sharded,
                                                              [&](const redis::Connection::Parts& /*parts*/) {
                                                                auto made = std::make_unique<FakeTopology>();
                                                                topologies.push_back(made.get());
                                                                return made;
                                                              }));
      for (const std::string& room : {first, last})
        nodes[i]->engine.subscribe(room, 0);
    }
  }
  void set(const redis::Layout& layout) {
    for (FakeTopology* topology : topologies)
      topology->set(layout);
  }
  test::RedisRoomReader& reader(std::size_t i) { return nodes[i]->reader; }
  void publish(std::size_t node, const std::string& room, int count = 1) {
    for (int i = 0; i < count; ++i) {
      const std::string text = std::to_string(++asked);
      nodes[node]->engine.publish(room, {hub::Kind::text, base::Bytes::copy_of(text), {}, 0}, asked);
    }
  }
  [[nodiscard]] bool is_settled() const {
    std::size_t outcomes = 0;
    for (const auto& node : nodes) {
      if (!node->is_in_step() || node->reader.rooms.size() != 2) return false;
      outcomes += node->reader.outcomes;
    }
    for (const auto& [name, room] : nodes[0]->reader.rooms) {
      const auto found = nodes[1]->reader.rooms.find(name);
      if (found == nodes[1]->reader.rooms.end() || found->second.top != room.top) return false;
    }
    return outcomes == asked;
  }
  void settle() {
    CHECK(sockets.run_until([&] { return is_settled(); }));
  }
  /// Nothing else stands at an offset for one node than for the other.
  bool agree(const std::string& room) {
    const auto& other = reader(1).room(room).got;
    for (const auto& [offset, text] : reader(0).room(room).got) {
      const auto found = other.find(offset);
      if (found != other.end() && found->second != text) return false;
    }
    return true;
  }
  /// Connections of nodes to a server, without that of the one who asks.
  static int clients_of(const test::RedisServer& server) {
    const std::string line = "test $(redis-cli -s " + server.path() + " client list | wc -l) -eq ";
    for (int i = 0; i < 10; ++i) {
      if (std::system((line + std::to_string(i + 1)).c_str()) == 0) return i;
    }
    return -1;
  }

  const std::string first = room_of(true);
  const std::string last = room_of(false);
  test::SocketFixture sockets;
  std::vector<FakeTopology*> topologies;
  std::vector<std::unique_ptr<test::RedisRouterNode>> nodes;
  std::size_t asked = 0;
};

}  // namespace

TEST_CASE("redis router: rooms are at the servers of their partitions, and move with them") {
  if (!test::RedisServer::is_installed()) return;
  bool is_sharded = false;
  SUBCASE("plain subscriptions") { is_sharded = false; }
  SUBCASE("sharded ones") { is_sharded = true; }
  const std::array<test::RedisServer, 3> servers;
  Nodes nodes(is_sharded);
  nodes.set(FakeTopology::even({servers[0].address(), servers[1].address()}));
  nodes.settle();
  CHECK(nodes.nodes[0]->router.servers().size() == 2);
  for (int turn = 0; turn < 10; ++turn) {
    for (const std::size_t node : {std::size_t{0}, std::size_t{1}}) {
      nodes.publish(node, nodes.first, 5);
      nodes.publish(node, nodes.last, 5);
    }
    nodes.sockets.run_idle_turns(1);
  }
  nodes.settle();
  CHECK(nodes.reader(0).room(nodes.first).got.size() == 100);
  CHECK(nodes.reader(0).room(nodes.first).got == nodes.reader(1).room(nodes.first).got);
  CHECK(nodes.reader(0).room(nodes.last).got == nodes.reader(1).room(nodes.last).got);
  CHECK(Nodes::clients_of(servers[1]) == 4);

  // The last half moves to an empty server: its rooms begin anew, the others do not notice.
  nodes.set(FakeTopology::even({servers[0].address(), servers[2].address()}));
  nodes.publish(0, nodes.first, 5);
  nodes.settle();
  nodes.publish(0, nodes.first, 5);
  nodes.publish(1, nodes.last, 10);
  nodes.settle();
  CHECK(nodes.reader(1).room(nodes.first).got.size() == 110);
  CHECK(nodes.reader(1).room(nodes.first).lost == 0);
  CHECK(nodes.reader(1).room(nodes.first).gaps == 0);
  CHECK(nodes.reader(1).room(nodes.last).lost == 1);
  CHECK(nodes.reader(1).room(nodes.last).gaps == 1);
  CHECK(nodes.reader(1).room(nodes.last).got.size() == 10);
  CHECK(nodes.reader(0).room(nodes.last).got == nodes.reader(1).room(nodes.last).got);
  CHECK(Nodes::clients_of(servers[1]) == 0);

  // All of it comes to one, and goes back.
  nodes.set(FakeTopology::even({servers[0].address()}));
  nodes.settle();
  CHECK(nodes.nodes[0]->router.servers().size() == 1);
  CHECK(nodes.nodes[0]->router.servers()[0].partitions == engine::redis_partitions);
  nodes.set(FakeTopology::even({servers[0].address(), servers[2].address()}));
  nodes.publish(0, nodes.last, 5);
  nodes.settle();
  CHECK(nodes.agree(nodes.last));
  CHECK(nodes.reader(0).room(nodes.first).gaps == 0);
  CHECK(nodes.reader(0).refused + nodes.reader(1).refused == 0);
  CHECK(nodes.reader(0).holes + nodes.reader(1).holes == 0);
}

TEST_CASE(
    "redis router: with another primary for all, the old one is left at once, and what was under way goes "
    "on") {
  if (!test::RedisServer::is_installed()) return;
  const std::array<test::RedisServer, 2> servers;
  Nodes nodes;
  nodes.set(FakeTopology::even({servers[0].address()}));
  nodes.settle();
  nodes.publish(0, nodes.first, 20);
  nodes.settle();
  // The old one stands still, so that nothing is answered any more.
  servers[0].send_signal(SIGSTOP);
  nodes.publish(0, nodes.first, 20);
  nodes.publish(1, nodes.last, 20);
  nodes.sockets.run_idle_turns(5);
  nodes.set(FakeTopology::even({servers[1].address()}));
  nodes.settle();
  servers[0].send_signal(SIGCONT);
  CHECK(nodes.reader(0).answered.size() == 40);
  CHECK(nodes.reader(1).answered.size() == 20);
  // A node that comes to another log begins at its end.
  CHECK(nodes.agree(nodes.first));
  CHECK(nodes.reader(1).room(nodes.first).gaps == 1);
  CHECK(nodes.sockets.run_until([&] { return Nodes::clients_of(servers[0]) == 0; }));
}

TEST_CASE("redis router: a server that hangs holds up its own partitions only") {
  if (!test::RedisServer::is_installed()) return;
  const std::array<test::RedisServer, 2> servers;
  Nodes nodes;
  nodes.set(FakeTopology::even({servers[0].address(), servers[1].address()}));
  nodes.settle();
  servers[1].send_signal(SIGSTOP);
  nodes.publish(0, nodes.last);
  // More than may be under way there.
  std::size_t calls = 0;
  engine::RedisRouter& router = nodes.nodes[1]->router;
  const engine::RedisPartition partition = engine::redis_partition_of(nodes.last);
  for (; router.has_space_for(partition, 100) && calls < 10'000; ++calls)
    router.sync(1'000'000 + calls, {nodes.last, 0, 0, 0, {}});
  CHECK(calls <= 1'024);
  CHECK_FALSE(router.has_space_for(partition, 100));
  CHECK(router.has_space_for(engine::redis_partition_of(nodes.first), 100));
  nodes.publish(1, nodes.first, 3);
  CHECK(nodes.sockets.run_until([&] { return nodes.reader(1).answered.size() == 3; }));
  CHECK(nodes.reader(0).answered.empty());
  servers[1].send_signal(SIGCONT);
  nodes.settle();
  CHECK(nodes.reader(0).answered.size() == 1);
}

TEST_CASE(
    "redis router: without a server for a partition its publishes wait, and a lost topology changes "
    "nothing") {
  if (!test::RedisServer::is_installed()) return;
  const std::array<test::RedisServer, 2> servers;
  Nodes nodes;
  const redis::Layout both = FakeTopology::even({servers[0].address(), servers[1].address()});
  redis::Layout half = both;
  half.shards.pop_back();
  nodes.set(half);
  nodes.publish(0, nodes.first);
  nodes.publish(0, nodes.last);
  CHECK(nodes.sockets.run_until([&] { return nodes.reader(0).answered.size() == 1; }));
  CHECK(nodes.nodes[0]->router.unserved_partitions() == engine::redis_partitions / 2);
  CHECK_FALSE(nodes.nodes[0]->router.is_up());
  CHECK_FALSE(nodes.nodes[0]->router.has_space_for(255, 1));
  nodes.set(both);
  nodes.settle();
  CHECK(nodes.reader(0).answered.size() == 2);
  nodes.topologies[0]->lose("nobody answers");
  nodes.publish(0, nodes.last);
  nodes.settle();
  CHECK(nodes.reader(0).answered.size() == 3);
  // The same layout again is no reason to do anything.
  nodes.set(both);
  nodes.settle();
  CHECK(nodes.reader(0).room(nodes.last).lost == 0);
  // A server that goes is doubted.
  servers[1].send_signal(SIGKILL);
  CHECK(nodes.sockets.run_until([&] { return nodes.topologies[0]->doubts != 0; }));
}

}  // namespace redis_router_test
