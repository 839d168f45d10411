// The Redis engine of two nodes while Sentinels make another server the primary.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/redis.h"
#include "engine/redis_router.h"
#include "net/dialer.h"
#include "redis/sentinel.h"
#include "support/fake_sentinel.h"
#include "support/redis_engine.h"
#include "support/redis_sentinels.h"

namespace redis_sentinel_test {

using namespace roomcast;

namespace {

/// What has stood at each position of the room's log, as anybody was told: nothing else ever may.
using Positions = std::map<std::pair<std::uint64_t, std::uint64_t>, std::string>;

/// What one node is told of the room "lobby".
struct Reader final : hub::EngineEvents {
  explicit Reader(Positions& positions_) : positions(positions_) {}

  void on_subscribed(std::string_view /*room*/, const hub::LogState& log) override {
    top = log.top;
    lineage = log.lineage;
  }
  void on_subscribe_refused(std::string_view /*room*/, const hub::Refusal& /*refusal*/) override {}
  void on_message(std::string_view /*room*/, hub::Message&& message) override {
    CHECK(message.position == hub::Position{top.epoch, top.offset + 1});
    top = message.position;
    std::string text(message.payload.view());
    const auto [place, is_new] = positions.try_emplace({top.epoch, top.offset}, text);
    CHECK(place->second == text);
    got[top.offset] = std::move(text);
  }
  void on_amended(std::string_view /*room*/, hub::Amendment&& /*amendment*/) override {}
  void on_lost(std::string_view /*room*/) override {}
  void on_resumed(std::string_view /*room*/, const hub::LogState& log) override {
    const auto common = log.lineage.last_common(log.top, lineage, top);
    if (common != top.offset || log.top.offset != top.offset) ++gaps;
    got.erase(got.upper_bound(common.value_or(0)), got.end());
    top = log.top;
    lineage = log.lineage;
  }
  void on_published(hub::Ticket ticket, const hub::PublishOutcome& outcome) override {
    if (outcome) acknowledged.insert(std::to_string(ticket));
    ++outcomes;
  }
  void on_page(hub::Ticket /*ticket*/, hub::ReadOutcome&& /*outcome*/) override {}

  Positions& positions;
  hub::Position top;
  hub::Lineage lineage;
  std::map<std::uint64_t, std::string> got;
  std::set<std::string> acknowledged;
  std::size_t outcomes = 0;
  int gaps = 0;
};

struct Node {
  Node(test::SocketFixture& fixture, const std::vector<redis::ServerAddress>& sentinels, std::uint64_t number,
       Reader& reader)
      : dialer({fixture.loop, fixture.sockets, fixture.deadlines}),
        topology(parts(fixture), watching(sentinels)),
        router({parts(fixture), log, topology}, calling(number)),
        engine({router, fixture.loop, fixture.deadlines, fixture.turn, log}, number,
               test::redis_rules(10'000), {}) {
    engine.start(reader);
    engine.subscribe("lobby", 0);
  }
  redis::Connection::Parts parts(test::SocketFixture& fixture) {
    return {dialer, nullptr, nullptr, fixture.loop, fixture.turn, fixture.deadlines};
  }
  static redis::SentinelTopology::Options watching(const std::vector<redis::ServerAddress>& sentinels) {
    redis::SentinelTopology::Options made;
    made.name = "main";
    made.sentinels = sentinels;
    // Without polls: what is announced, and what the engine doubts, is enough.
    made.poll_ms = 86'400'000;
    made.hurry_ms = 20;
    made.wait_max_ms = 50;
    return made;
  }
  static engine::RedisPrimary::Options calling(std::uint64_t number) {
    engine::RedisPrimary::Options made;
    made.connection.wait_ms = 5;
    made.connection.wait_max_ms = 20;
    made.node = "node-" + std::to_string(number);
    made.grace_ms = 0;
    return made;
  }
  /// The port of the primary that it uses; 0: none that it could.
  [[nodiscard]] std::uint16_t primary_port() const {
    const auto servers = router.servers();
    if (servers.size() != 1 || !router.is_up()) return 0;
    return redis::ServerAddress::parse(servers[0].address)->port;
  }

  base::Log log{base::LogLevel::error, base::LogFormat::text};
  net::Dialer dialer;
  redis::SentinelTopology topology;
  engine::RedisRouter router;
  engine::Redis engine;
};

struct Nodes {
  void start(const std::vector<redis::ServerAddress>& sentinels) {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      nodes[i].emplace(sockets, sentinels, i + 1, readers[i]);
  }
  [[nodiscard]] bool use(std::uint16_t primary) const {
    return nodes[0]->primary_port() == primary && nodes[1]->primary_port() == primary;
  }
  /// Until both use that primary, have the same, and all that was published is answered.
  void settle(std::uint16_t primary) {
    CHECK(sockets.run_until(
        [&] {
          return use(primary) && nodes[0]->engine.is_in_step() && nodes[1]->engine.is_in_step() &&
                 readers[0].top == readers[1].top && readers[0].outcomes + readers[1].outcomes == asked;
        },
        60'000));
  }
  /// By the two nodes in turns; the text is the number of the message.
  void publish(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string text = std::to_string(++asked);
      nodes[asked % 2]->engine.publish("lobby", {hub::Kind::text, base::Bytes::copy_of(text), {}, 0}, asked);
    }
  }
  /// Those that a node was told are published, and that the reader does not have.
  [[nodiscard]] std::size_t missing_at(const Reader& reader) const {
    std::set<std::string> missing = readers[0].acknowledged;
    missing.insert(readers[1].acknowledged.begin(), readers[1].acknowledged.end());
    for (const auto& [offset, text] : reader.got)
      missing.erase(text);
    return missing.size();
  }
  void check_that_nothing_is_twice() const {
    for (const Reader& reader : readers) {
      std::set<std::string> texts;
      for (const auto& [offset, text] : reader.got)
        CHECK(texts.insert(text).second);
    }
  }

  test::SocketFixture sockets;
  Positions positions;
  std::array<Reader, 2> readers{Reader(positions), Reader(positions)};
  std::array<std::optional<Node>, 2> nodes;
  std::size_t asked = 0;
};

}  // namespace

TEST_CASE(
    "redis sentinel: a planned failover under load is followed, nothing twice, nothing missing silently") {
  if (!test::RedisServer::is_installed()) return;
  test::RedisSentinels set;
  Nodes nodes;
  nodes.start(set.sentinels());
  nodes.settle(set.ports[0]);
  nodes.publish(100);
  nodes.settle(set.ports[0]);
  set.fail_over();
  CHECK(nodes.sockets.run_until(
      [&] {
        const std::size_t under_way = nodes.asked - nodes.readers[0].outcomes - nodes.readers[1].outcomes;
        if (under_way < 20) nodes.publish(1);
        return nodes.use(set.ports[1]);
      },
      60'000));
  nodes.publish(100);
  nodes.settle(set.ports[1]);
  nodes.check_that_nothing_is_twice();
  for (const Reader& reader : nodes.readers) {
    if (nodes.missing_at(reader) > 0) CHECK(reader.gaps > 0);
    CHECK(reader.got.size() >= 200);
  }
}

TEST_CASE("redis sentinel: what a killed primary had not replicated is lost, and told") {
  if (!test::RedisServer::is_installed()) return;
  test::RedisSentinels set;
  Nodes nodes;
  nodes.start(set.sentinels());
  nodes.settle(set.ports[0]);
  nodes.publish(100);
  nodes.settle(set.ports[0]);
  CHECK(test::redis_cli(set.ports[0], "wait 1 5000") == "1\n");
  const std::uint64_t epoch = nodes.readers[0].top.epoch;
  set.cut_replication();
  nodes.publish(30);
  nodes.settle(set.ports[0]);
  CHECK(nodes.missing_at(nodes.readers[1]) == 0);
  set.kill_server(0);
  // These wait until there is a primary again.
  nodes.publish(20);
  nodes.settle(set.ports[1]);
  nodes.publish(50);
  nodes.settle(set.ports[1]);
  nodes.check_that_nothing_is_twice();
  for (const Reader& reader : nodes.readers) {
    CHECK(reader.gaps == 1);
    CHECK(reader.top.epoch != epoch);
    CHECK(reader.lineage.has({epoch, 100}, reader.top));
    CHECK_FALSE(reader.lineage.has({epoch, 101}, reader.top));
    CHECK(nodes.missing_at(reader) == 30);
    CHECK(reader.acknowledged.size() == 100);
  }
  CHECK(nodes.readers[0].got == nodes.readers[1].got);
}

TEST_CASE(
    "redis sentinel: a primary that is a replica yet, or refuses connections, is asked for until it is one") {
  if (!test::RedisServer::is_installed()) return;
  Nodes nodes;
  test::FakeSentinel sentinel(nodes.sockets, "one");
  std::optional<test::RedisServer> server;
  std::uint16_t port = 0;
  // The nodes doubt it, so the Sentinel is asked again and again.
  const auto is_asked_again = [&] { return sentinel.asked >= 8; };
  SUBCASE("it refuses connections") {
    port = test::FakeSentinel(nodes.sockets, "gone").port();
    sentinel.name(port, 1);
    nodes.start({sentinel.address()});
    CHECK(nodes.sockets.run_until([&] {
      const auto servers = nodes.nodes[0]->router.servers();
      return !servers.empty() && servers[0].stats.reconnects > 5;
    }));
    CHECK(nodes.sockets.run_until(is_asked_again));
    server.emplace(std::vector<std::string>{"--port", std::to_string(port), "--bind", "127.0.0.1"});
  }
  SUBCASE("it is a replica yet") {
    port = test::FakeSentinel(nodes.sockets, "gone").port();
    server.emplace(std::vector<std::string>{"--port", std::to_string(port), "--bind", "127.0.0.1",
                                            "--replicaof", "127.0.0.1", "1"});
    sentinel.name(port, 1);
    nodes.start({sentinel.address()});
    CHECK(nodes.sockets.run_until([&] {
      const auto servers = nodes.nodes[0]->router.servers();
      return !servers.empty() && servers[0].why_down.find("a replica of 127.0.0.1:1") != std::string::npos;
    }));
    CHECK(nodes.sockets.run_until(is_asked_again));
    CHECK(test::redis_cli(port, "replicaof no one") == "OK\n");
  }
  nodes.settle(port);
  nodes.publish(10);
  nodes.settle(port);
  for (const Reader& reader : nodes.readers) {
    CHECK(reader.gaps == 0);
    CHECK(nodes.missing_at(reader) == 0);
    CHECK(reader.got.size() == 10);
  }
}

}  // namespace redis_sentinel_test
