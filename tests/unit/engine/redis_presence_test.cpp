// Presence of several servers over a Redis: what each is told of the others' members.
#include "engine/redis_presence.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/redis_engine.h"
#include "support/redis_node.h"

namespace redis_presence_test {

using namespace roomcast;

namespace {

using Names = std::vector<std::string>;

hub::NodeMembers members(const Names& names, std::size_t nameless = 0) {
  hub::NodeMembers made{{}, names.size(), nameless};
  for (const std::string& name : names)
    made.names.emplace_back(name);
  return made;
}
hub::NodeMembers numbers(std::size_t named) { return {{}, named, 0}; }

/// Keeps what one server is told of the others in the room "lobby", as a hub would.
struct Watcher final : hub::EngineEvents {
  void on_subscribed(std::string_view /*room*/, const hub::LogState& /*log*/) override {
    if (!known_at_start) known_at_start = here();
  }
  void on_subscribe_refused(std::string_view /*room*/, const hub::Refusal& /*refusal*/) override {}
  void on_message(std::string_view /*room*/, hub::Message&& /*message*/) override {}
  void on_amended(std::string_view /*room*/, hub::Amendment&& /*amendment*/) override {}
  void on_lost(std::string_view /*room*/) override {}
  void on_resumed(std::string_view /*room*/, const hub::LogState& /*log*/) override {}
  void on_published(hub::Ticket /*ticket*/, const hub::PublishOutcome& /*outcome*/) override {}
  void on_page(hub::Ticket /*ticket*/, hub::ReadOutcome&& /*outcome*/) override {}
  void on_presence(std::string_view room, std::uint64_t node, const hub::NodeChange& change) override {
    CHECK(room == "lobby");
    ++told;
    if (change.what == hub::NodeChange::What::gone) {
      ++gone;
      nodes.erase(node);
      return;
    }
    std::map<std::string, int>& names = nodes[node].names;
    if (change.what == hub::NodeChange::What::all) names.clear();
    for (const hub::Author& author : change.left)
      CHECK(names.erase(std::string(author.name())) == 1);
    for (const hub::Author& author : change.joined)
      CHECK(names.emplace(author.name(), 1).second);
    nodes[node].named = change.named;
    nodes[node].nameless = change.nameless;
    if (change.named == 0 && change.nameless == 0) nodes.erase(node);
  }
  /// "2: ada bob +1|3: cy", by server.
  [[nodiscard]] std::string here() const {
    std::string text;
    for (const auto& [number, node] : nodes) {
      if (!text.empty()) text += '|';
      text += std::to_string(number) + ':';
      for (const auto& [name, count] : node.names)
        text += ' ' + name;
      if (node.names.size() != node.named) text += " #" + std::to_string(node.named);
      if (node.nameless != 0) text += " +" + std::to_string(node.nameless);
    }
    return text;
  }

  struct Node {
    std::map<std::string, int> names;
    std::size_t named = 0;
    std::size_t nameless = 0;
  };
  std::map<std::uint64_t, Node> nodes;
  std::optional<std::string> known_at_start;
  int told = 0;
  int gone = 0;
};

/// Three servers, of which the first two are in the room, over a model of Redis.
struct Model {
  Model() {
    for (std::size_t i = 0; i < 3; ++i) {
      engines[i] = std::make_unique<test::RedisEngine>(redis, clock, i + 1);
      engines[i]->engine.start(watchers[i]);
      engines[i]->port.connect();
    }
    join(0);
    join(1);
    settle();
  }
  void join(std::size_t i) { engines[i]->engine.subscribe("lobby", 0); }
  void settle() {
    for (int round = 0; round < 3; ++round) {
      for (std::size_t i = 0; i < engines.size(); ++i) {
        if (!is_dead[i]) engines[i]->settle();
      }
    }
  }
  void pass(std::int64_t ms) {
    constexpr std::int64_t step_ms = 250;
    for (std::int64_t passed = 0; passed < ms; passed += step_ms) {
      clock.advance(step_ms);
      for (std::size_t i = 0; i < 3; ++i) {
        if (!is_dead[i]) engines[i]->pass(0);
      }
      settle();
    }
  }
  void announce(std::size_t i, const Names& names, std::size_t nameless = 0) {
    engines[i]->engine.announce("lobby", members(names, nameless));
    settle();
  }
  /// The server ends; its lease is over when Redis says so.
  void kill(std::size_t i) {
    is_dead[i] = true;
    redis.data.leases.erase(engine::redis_node_name(i + 1));
  }
  [[nodiscard]] std::string here(std::size_t i) const { return watchers[i].here(); }

  test::FakeClock clock;
  test::FakeRedis redis;
  std::array<Watcher, 3> watchers;
  std::array<std::unique_ptr<test::RedisEngine>, 3> engines;
  std::array<bool, 3> is_dead{};
};

constexpr std::int64_t forgotten_ms = engine::RedisPresence::absent_ms + 2 * engine::RedisPresence::tick_ms;

}  // namespace

TEST_CASE("redis presence: a server is told of the members of others, and of changes only") {
  Model model;
  model.announce(0, {"ada", "bob"});
  CHECK(model.here(1) == "1: ada bob");
  const int before = model.redis.presence_writes;
  model.announce(0, {"bob", "cy"}, 2);
  CHECK(model.here(1) == "1: bob cy +2");
  model.announce(0, {"bob", "cy"}, 2);
  CHECK(model.redis.presence_writes == before + 1);
  model.announce(1, {"dee"});
  CHECK(model.here(0) == "2: dee");
  model.announce(0, {});
  CHECK(model.here(1).empty());
  CHECK(model.redis.data.presence["lobby"].size() == 1);
  CHECK(model.engines[1]->engine.presence().stats().holes == 0);
}

TEST_CASE("redis presence: who opens a room knows the members before the room is open") {
  Model model;
  model.announce(0, {"ada"});
  model.announce(1, {"bob"});
  // It has met both, by what they have in another room.
  model.join(2);
  model.settle();
  model.engines[2]->engine.unsubscribe("lobby");
  model.watchers[2] = Watcher();
  model.pass(31'000);
  model.join(2);
  model.settle();
  CHECK(model.watchers[2].known_at_start == "1: ada|2: bob");
  CHECK(model.here(2) == "1: ada|2: bob");
}

TEST_CASE("redis presence: news that are lost are noticed by the next, and that field is read") {
  Model model;
  model.announce(0, {"ada"});
  model.announce(1, {"eve"});
  const std::uint64_t reads = model.engines[1]->engine.presence().stats().reads;
  model.engines[0]->engine.announce("lobby", members({"ada", "bob"}));
  model.engines[0]->flush();
  CHECK(model.engines[0]->port.answer_one());
  model.engines[1]->port.drop_push();
  model.settle();
  CHECK(model.here(1) == "1: ada");
  model.announce(0, {"ada", "bob", "cy"});
  CHECK(model.here(1) == "1: ada bob cy");
  const engine::RedisPresenceStats stats = model.engines[1]->engine.presence().stats();
  CHECK(stats.holes == 1);
  CHECK(stats.reads == reads + 1);
}

TEST_CASE("redis presence: of more members than are told there is the number") {
  Model model;
  model.announce(0, {"ada"});
  model.engines[0]->engine.announce("lobby", numbers(5'000));
  model.settle();
  CHECK(model.here(1) == "1: #5000");
  model.announce(0, {"ada"});
  CHECK(model.here(1) == "1: ada");
}

TEST_CASE("redis presence: the members of a server that has ended go when its lease has") {
  Model model;
  model.announce(0, {"ada"}, 3);
  model.announce(1, {"bob"});
  model.pass(10'000);
  CHECK(model.here(1) == "1: ada +3");
  model.kill(0);
  model.pass(engine::RedisPresence::absent_ms - engine::RedisPresence::tick_ms);
  CHECK(model.here(1) == "1: ada +3");
  model.pass(2 * engine::RedisPresence::tick_ms);
  CHECK(model.here(1).empty());
  CHECK(model.watchers[1].gone == 1);
  // Its field has been removed.
  CHECK(model.redis.data.presence["lobby"].size() == 1);
}

TEST_CASE("redis presence: nobody is shown of a server that ended before this one began") {
  Model model;
  model.announce(0, {"ada"});
  model.announce(1, {"bob"});
  model.kill(0);
  model.join(2);
  model.settle();
  CHECK(model.here(2) == "2: bob");
  model.pass(forgotten_ms);
  CHECK(model.here(2) == "2: bob");
  CHECK(model.watchers[2].gone == 0);
  CHECK(model.redis.data.presence["lobby"].size() == 1);
}

TEST_CASE("redis presence: a server that comes back writes again what others have removed") {
  Model model;
  model.announce(0, {"ada"});
  model.announce(1, {"bob"});
  model.kill(0);
  model.pass(forgotten_ms);
  CHECK(model.here(1).empty());
  model.is_dead[0] = false;
  model.pass(2 * engine::RedisPresence::tick_ms);
  CHECK(model.here(1) == "1: ada");
  CHECK(model.here(0) == "2: bob");
}

TEST_CASE("redis presence: a server without a link keeps what it knew, and catches up") {
  Model model;
  model.announce(0, {"ada"});
  model.announce(1, {"bob"});
  model.engines[1]->port.set_calls(false);
  model.engines[1]->port.set_pushes(false);
  model.pass(3 * forgotten_ms);
  CHECK(model.here(1) == "1: ada");
  model.announce(0, {"cy"});
  model.engines[1]->engine.announce("lobby", members({"bob", "dee"}));
  model.pass(1'000);
  CHECK(model.here(1) == "1: ada");
  model.engines[1]->port.connect();
  model.pass(1'000);
  CHECK(model.here(1) == "1: cy");
  CHECK(model.here(0) == "2: bob dee");
}

TEST_CASE("redis presence: a Redis that has lost everything is told again") {
  Model model;
  model.announce(0, {"ada"});
  model.announce(1, {"bob"});
  model.redis.fail_over({});
  for (const auto& engine : model.engines) {
    engine->port.set_calls(false);
    engine->port.set_pushes(false);
  }
  for (const auto& engine : model.engines)
    engine->port.connect();
  model.pass(5'000);
  CHECK(model.here(0) == "2: bob");
  CHECK(model.here(1) == "1: ada");
  CHECK(model.redis.data.presence["lobby"].size() == 2);
}

TEST_CASE("redis presence: a room that is left is not known any more") {
  Model model;
  model.announce(0, {"ada"});
  model.engines[0]->engine.unsubscribe("lobby");
  model.settle();
  CHECK(model.here(1).empty());
  CHECK(model.redis.data.presence["lobby"].empty());
  CHECK(model.engines[0]->engine.presence().is_idle());
}

TEST_CASE("redis presence: whatever is lost and in whatever order, all agree in the end") {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::mt19937 chance(seed);
    const auto below = [&](std::size_t n) { return chance() % n; };
    Model model;
    std::array<Names, 3> truth;
    model.join(2);
    for (int step = 0; step < 80; ++step) {
      const std::size_t i = below(3);
      test::RedisEngine& engine = *model.engines[i];
      switch (below(9)) {
        case 0:
        case 1: {
          truth[i].clear();
          for (const char* name : {"ada", "bob", "cy", "dee"}) {
            if (below(2) == 0) truth[i].emplace_back(name);
          }
          engine.engine.announce("lobby", members(truth[i]));
          break;
        }
        case 2:
          engine.port.drop_push();
          break;
        case 3:
          engine.port.lose_calls(below(3));
          break;
        case 4:
          engine.port.set_pushes(false);
          break;
        case 5:
          engine.port.set_calls(false);
          break;
        case 6:
          engine.port.connect();
          break;
        default:
          engine.flush();
          engine.port.answer_one();
          engine.port.push_one();
          model.clock.advance(100);
          engine.pass(0);
      }
    }
    for (const auto& engine : model.engines)
      engine->port.connect();
    model.settle();
    // A push that was lost shows with the next one.
    for (std::size_t i = 0; i < 3; ++i) {
      truth[i].emplace_back("eve");
      model.engines[i]->engine.announce("lobby", members(truth[i], 1));
    }
    model.pass(forgotten_ms);
    for (std::size_t i = 0; i < 3; ++i) {
      std::string expected;
      for (std::size_t other = 0; other < 3; ++other) {
        if (other == i) continue;
        expected += (expected.empty() ? "" : "|") + std::to_string(other + 1) + ':';
        for (const std::string& name : truth[other])
          expected += ' ' + name;
        expected += " +1";
      }
      REQUIRE(model.here(i) == expected);
    }
  }
}

TEST_CASE("redis presence: fields and news that are damaged, or of another format, are not taken") {
  const std::string field = encode(engine::RedisPresenceField{7, members({"ada", "bob"}, 3)});
  const auto read = engine::read_redis_presence_field(field);
  REQUIRE(read);
  CHECK(read->version == 7);
  CHECK(read->members.named == 2);
  CHECK(read->members.nameless == 3);
  CHECK(read->members.names[1].name() == "bob");
  for (std::size_t bytes = 0; bytes < field.size(); ++bytes)
    CHECK_FALSE(engine::read_redis_presence_field(std::string_view(field).substr(0, bytes)));
  CHECK_FALSE(engine::read_redis_presence_field(field + '\0'));
  CHECK_FALSE(engine::read_redis_presence_field('\2' + field.substr(1)));
  const std::string news = encode(engine::RedisPresenceNews{
      .node = 1, .version = 2, .named = 1, .joined = {hub::Author("Ada", "user:ada")}});
  REQUIRE(engine::read_redis_presence_news(news));
  CHECK(engine::read_redis_presence_news(news)->joined.front().principal() == "user:ada");
  for (std::size_t bytes = 0; bytes < news.size(); ++bytes)
    CHECK_FALSE(engine::read_redis_presence_news(std::string_view(news).substr(0, bytes)));
  // A count that nothing can follow.
  std::string huge = field;
  huge[17] = huge[18] = huge[19] = huge[20] = '\xFF';
  CHECK_FALSE(engine::read_redis_presence_field(huge));
}

// --- A real server ---

namespace {

struct Real {
  Real() {
    for (std::size_t i = 0; i < 2; ++i) {
      nodes[i] = std::make_unique<test::RedisNode>(sockets, server.path(), i + 1);
      nodes[i]->engine.start(watchers[i]);
      nodes[i]->engine.subscribe("lobby", 0);
    }
    CHECK(sockets.run_until([&] { return nodes[0]->is_in_step() && nodes[1]->is_in_step(); }));
  }
  void expect(std::size_t i, const std::string& expected) {
    CHECK(sockets.run_until([&] { return watchers[i].here() == expected; }));
    CHECK(watchers[i].here() == expected);
  }
  void command(const std::string& words) {
    const std::string line = "redis-cli -s " + server.path() + " " + words + " >/dev/null";
    REQUIRE(std::system(line.c_str()) == 0);
  }

  test::RedisServer server;
  test::SocketFixture sockets;
  std::array<Watcher, 2> watchers;
  std::array<std::unique_ptr<test::RedisNode>, 2> nodes;
};

}  // namespace

TEST_CASE("redis presence: two servers over a real Redis, which forgets, restarts and drops connections") {
  if (!test::RedisServer::is_installed()) return;
  Real real;
  real.nodes[0]->engine.announce("lobby", members({"ada", "bob"}, 1));
  real.expect(1, "1: ada bob +1");
  real.nodes[1]->engine.announce("lobby", members({"ada"}));
  real.expect(0, "2: ada");
  real.command("script flush");
  real.nodes[0]->engine.announce("lobby", members({"bob", "cy"}));
  real.expect(1, "1: bob cy");
  real.command("client kill type pubsub");
  real.nodes[0]->engine.announce("lobby", members({"cy"}));
  real.expect(1, "1: cy");
  real.command("client kill type normal");
  real.nodes[0]->engine.announce("lobby", members({"cy", "dee"}));
  real.expect(1, "1: cy dee");
  real.server.restart();
  real.nodes[1]->engine.announce("lobby", members({"eve"}));
  real.expect(0, "2: eve");
  real.expect(1, "1: cy dee");
  real.nodes[1]->engine.announce("lobby", members({}));
  real.expect(0, "");
}

TEST_CASE("redis presence: a server that ends is gone for another once its lease in a real Redis is over") {
  if (!test::RedisServer::is_installed()) return;
  Real real;
  real.nodes[0]->engine.announce("lobby", members({"ada"}));
  real.expect(1, "1: ada");
  real.nodes[0].reset();
  // Without waiting for its end.
  real.command("--scan --pattern '*n:0000000000000001' | xargs redis-cli -s " + real.server.path() + " del");
  real.expect(1, "");
  CHECK(real.watchers[1].gone == 1);
}

}  // namespace redis_presence_test
