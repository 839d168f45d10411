// The Redis engine of several nodes over a real server that is restarted, forgets, and drops connections.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/redis_node.h"

namespace redis_server_test {

using namespace roomcast;

namespace {

/// What one node is told of the room "lobby".
struct Reader final : hub::EngineEvents {
  void on_subscribed(std::string_view /*room*/, const hub::LogState& log) override {
    top = log.top;
    lineage = log.lineage;
  }
  void on_subscribe_refused(std::string_view /*room*/, const hub::Refusal& /*refusal*/) override {}
  void on_message(std::string_view /*room*/, hub::Message&& message) override {
    CHECK(message.position == hub::Position{top.epoch, top.offset + 1});
    top = message.position;
    got[top.offset] = std::string(message.payload.view());
  }
  void on_amended(std::string_view /*room*/, hub::Amendment&& /*amendment*/) override { ++amended; }
  void on_lost(std::string_view /*room*/) override { ++lost; }
  void on_resumed(std::string_view /*room*/, const hub::LogState& log) override {
    const auto common = log.lineage.last_common(log.top, lineage, top);
    if (common != top.offset || log.top.offset != top.offset) ++gaps;
    got.erase(got.upper_bound(common.value_or(0)), got.end());
    top = log.top;
    lineage = log.lineage;
  }
  void on_published(hub::Ticket ticket, const hub::PublishOutcome& outcome) override {
    if (!outcome) {
      ++refused;
    } else {
      answered[ticket] = outcome->position;
    }
    ++outcomes;
  }
  void on_page(hub::Ticket /*ticket*/, hub::ReadOutcome&& outcome) override {
    if (outcome) page = outcome->messages;
  }

  hub::Position top;
  hub::Lineage lineage;
  std::map<std::uint64_t, std::string> got;
  std::map<hub::Ticket, hub::Position> answered;
  std::vector<hub::Message> page;
  std::size_t outcomes = 0;
  int refused = 0;
  int amended = 0;
  int lost = 0;
  int gaps = 0;
};

struct Cluster {
  explicit Cluster(std::vector<std::string> options = {}, std::int64_t grace_ms = 0)
      : server(std::move(options)) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      nodes[i] = std::make_unique<test::RedisNode>(sockets, server.path(), i + 1, 1'000, grace_ms);
      nodes[i]->engine.start(readers[i]);
      nodes[i]->engine.subscribe("lobby", 0);
    }
    settle();
  }
  void settle() {
    CHECK(sockets.run_until([&] {
      return nodes[0]->is_in_step() && nodes[1]->is_in_step() &&
             readers[0].top.offset == readers[1].top.offset &&
             readers[0].outcomes + readers[1].outcomes == asked;
    }));
  }
  void publish(std::size_t node, std::string_view text) {
    nodes[node]->engine.publish("lobby", {hub::Kind::text, base::Bytes::copy_of(text), {}, 0}, ++asked);
  }
  void publish_many(int count) {
    for (int i = 0; i < count; ++i)
      publish(asked % 2, std::to_string(asked + 1));
  }
  void publish_with_key(std::size_t node, std::string_view text) {
    hub::Draft draft{hub::Kind::text, base::Bytes::copy_of(text), {}, 0};
    draft.key = hub::DraftKey(text, "0123456789abcdef");
    nodes[node]->engine.publish("lobby", std::move(draft), ++asked);
  }
  /// Runs a command by a connection of its own.
  void command(const std::string& words) {
    const std::string line = "redis-cli -s " + server.path() + " " + words + " >/dev/null";
    REQUIRE(std::system(line.c_str()) == 0);
  }

  test::RedisServer server;
  test::SocketFixture sockets;
  std::array<Reader, 2> readers;
  std::array<std::unique_ptr<test::RedisNode>, 2> nodes;
  std::size_t asked = 0;
};

}  // namespace

TEST_CASE("redis server: what one node publishes comes to the other in the same order, and in batches") {
  if (!test::RedisServer::is_installed()) return;
  Cluster cluster;
  for (int turn = 0; turn < 5; ++turn) {
    cluster.publish_many(200);
    cluster.settle();
  }
  CHECK(cluster.readers[0].got.size() == 1'000);
  CHECK(cluster.readers[0].got == cluster.readers[1].got);
  for (const Reader& reader : cluster.readers) {
    CHECK(reader.gaps == 0);
    CHECK(reader.refused == 0);
  }
  // Of the first message of a turn nobody knows that others follow.
  CHECK(cluster.nodes[0]->engine.stats().batches < 100);
  CHECK(cluster.nodes[0]->engine.stats().published == 500);
}

TEST_CASE("redis server: cut connections and lost scripts cost time, and no message") {
  if (!test::RedisServer::is_installed()) return;
  Cluster cluster;
  const std::array<std::string, 5> disturbances{"client kill type pubsub", "client kill type normal",
                                                "script flush", "client pause 50", "client kill type pubsub"};
  for (const std::string& disturbance : disturbances) {
    cluster.publish_many(100);
    cluster.sockets.run_idle_turns(3);
    cluster.command(disturbance);
    cluster.publish_many(100);
    cluster.settle();
  }
  CHECK(cluster.readers[0].got.size() == 1'000);
  CHECK(cluster.readers[0].got == cluster.readers[1].got);
  for (const Reader& reader : cluster.readers) {
    CHECK(reader.gaps == 0);
    CHECK(reader.refused == 0);
  }
}

TEST_CASE("redis server: one that comes back with less begins a new epoch, and only what is lost is lost") {
  if (!test::RedisServer::is_installed()) return;
  Cluster cluster;
  cluster.publish_many(50);
  cluster.settle();
  cluster.command("save");
  cluster.publish_many(30);
  cluster.settle();
  const hub::Position before = cluster.readers[0].top;
  CHECK(before.offset == 80);
  cluster.server.restart();
  cluster.settle();
  cluster.publish_many(20);
  cluster.settle();
  for (const Reader& reader : cluster.readers) {
    CHECK(reader.top.offset == 70);
    CHECK(reader.top.epoch != before.epoch);
    CHECK(reader.gaps == 1);
    CHECK(reader.refused == 0);
    CHECK(reader.got.size() == 70);
    CHECK(reader.lineage.has({before.epoch, 50}, reader.top));
    CHECK_FALSE(reader.lineage.has({before.epoch, 51}, reader.top));
  }
  CHECK(cluster.readers[0].got == cluster.readers[1].got);
  CHECK(cluster.nodes[0]->engine.stats().lost_messages == 30);
}

TEST_CASE(
    "redis server: what one has lost is put back by the nodes within the grace: nobody is told of a gap") {
  if (!test::RedisServer::is_installed()) return;
  Cluster cluster({}, 2'000);
  cluster.publish_many(50);
  cluster.settle();
  cluster.command("save");
  cluster.publish_many(30);
  cluster.publish_with_key(0, "key 81");
  cluster.settle();
  // What is amended has to be again, too.
  cluster.nodes[1]->engine.remove("lobby", {cluster.readers[1].top.epoch, 60}, ++cluster.asked);
  cluster.nodes[0]->engine.replace("lobby", {cluster.readers[1].top.epoch, 61},
                                   {hub::Kind::text, base::Bytes::copy_of("instead"), {}, 0},
                                   ++cluster.asked);
  cluster.settle();
  const hub::Position before = cluster.readers[0].top;
  CHECK(before.offset == 83);
  cluster.server.restart();
  cluster.settle();
  cluster.publish_many(20);
  cluster.settle();
  for (const Reader& reader : cluster.readers) {
    CHECK(reader.top.offset == 103);
    CHECK(reader.gaps == 0);
    CHECK(reader.refused == 0);
    CHECK(reader.got.size() == 103);
    CHECK(reader.lineage.has(before, reader.top));
  }
  CHECK(cluster.readers[0].got == cluster.readers[1].got);
  std::uint64_t restored = 0;
  for (const auto& node : cluster.nodes) {
    restored += node->engine.stats().restored_messages;
    CHECK(node->engine.stats().lost_messages == 0);
  }
  CHECK(restored == 33);
  // All of it is in the log again, where it was.
  cluster.nodes[0]->engine.read("lobby", {before.epoch, 0}, 200, 1'000'000, 1);
  CHECK(cluster.sockets.run_until([&] { return !cluster.readers[0].page.empty(); }));
  REQUIRE(cluster.readers[0].page.size() == 103);
  for (const hub::Message& message : cluster.readers[0].page) {
    const std::uint64_t offset = message.position.offset;
    CHECK(message.is_removed == (offset == 60 || offset == 82 || offset == 83));
    CHECK(message.position.epoch == (offset <= 83 ? before.epoch : cluster.readers[0].top.epoch));
    if (message.is_removed) continue;
    CHECK(message.payload.view() == (offset == 61 ? "instead" : cluster.readers[0].got.at(offset)));
  }
  // And so is the key.
  cluster.publish_with_key(1, "key 81");
  cluster.settle();
  CHECK(cluster.readers[1].answered.at(cluster.asked) == hub::Position{before.epoch, 81});
}

TEST_CASE("redis server: one that comes back with all it had loses nothing, and nobody is told of a gap") {
  if (!test::RedisServer::is_installed()) return;
  Cluster cluster({"--appendonly", "yes", "--appendfsync", "always"});
  cluster.publish_many(50);
  cluster.settle();
  cluster.server.restart();
  cluster.publish_many(50);
  cluster.settle();
  for (const Reader& reader : cluster.readers) {
    CHECK(reader.got.size() == 100);
    CHECK(reader.gaps == 0);
    CHECK(reader.refused == 0);
    CHECK(reader.lost >= 1);
  }
  CHECK(cluster.readers[0].top.epoch == cluster.readers[1].top.epoch);
}

TEST_CASE("redis server: an emptied one begins anew") {
  if (!test::RedisServer::is_installed()) return;
  Cluster cluster;
  cluster.publish_many(10);
  cluster.settle();
  const std::uint64_t epoch = cluster.readers[0].top.epoch;
  cluster.command("flushall");
  cluster.publish_many(4);
  cluster.settle();
  for (const Reader& reader : cluster.readers) {
    CHECK(reader.top.offset == 4);
    CHECK(reader.top.epoch != epoch);
    CHECK(reader.gaps == 1);
  }
  CHECK(cluster.readers[0].got == cluster.readers[1].got);
}

TEST_CASE("redis server: keys are known to all nodes") {
  if (!test::RedisServer::is_installed()) return;
  Cluster cluster;
  const auto publish = [&](std::size_t node, std::string_view text, std::string_view digest) {
    hub::Draft draft{hub::Kind::text, base::Bytes::copy_of(text), {}, 0};
    draft.key = hub::DraftKey("order 7", digest);
    cluster.nodes[node]->engine.publish("lobby", std::move(draft), ++cluster.asked);
    cluster.settle();
  };
  publish(0, "seven", "0123456789abcdef");
  publish(1, "seven", "0123456789abcdef");
  publish(1, "eight", "fedcba9876543210");
  CHECK(cluster.readers[0].top.offset == 1);
  CHECK(cluster.readers[1].answered.at(2) == cluster.readers[0].answered.at(1));
  CHECK(cluster.readers[1].refused == 1);
}

TEST_CASE("redis server: a full one refuses, and takes messages again when it has space") {
  if (!test::RedisServer::is_installed()) return;
  Cluster cluster;
  cluster.publish_many(2);
  cluster.settle();
  cluster.command("config set maxmemory 1");
  cluster.publish_many(2);
  cluster.settle();
  CHECK(cluster.readers[0].refused + cluster.readers[1].refused == 2);
  cluster.command("config set maxmemory 0");
  cluster.publish_many(2);
  cluster.settle();
  CHECK(cluster.readers[0].got.size() == 4);
  CHECK(cluster.readers[0].gaps == 0);
}

}  // namespace redis_server_test
