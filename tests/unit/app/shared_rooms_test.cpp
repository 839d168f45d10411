// Sanctions and commands of servers that share their rooms, each with an engine and a hub of its own, over a
// model of Redis.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/sanctions.h"
#include "app/room_command_bus.h"
#include "app/shared_sanctions.h"
#include "part/internal_rooms.h"
#include "part/settings.h"
#include "support/fake_redis.h"
#include "support/redis_engine.h"

namespace shared_rooms_test {

using namespace roomcast;
using Code = base::Refusal::Code;
using Kept = base::Result<part::SharedSanctions::Kept, base::Refusal>;
using Outcome = part::CommandBus::Outcome;

namespace {

constexpr std::size_t few_bytes = 65'536;  // of sanctions: the room keeps 1,536 messages

hub::RoomRules rules(bool of_engine) {
  const hub::RoomSettings usual{{100, 100'000, 3'600'000}, {3'000, 100}};
  return hub::RoomRules(usual, of_engine ? part::engine_rules_of_internal_rooms(few_bytes)
                                         : part::memory_rules_of_internal_rooms(few_bytes));
}

/// One server.
struct Node final : part::CommandBus::Handler, part::SharedSanctions::Listener {
  Node(test::FakeRedis& redis, test::FakeClock& clock, std::uint64_t number)
      : over(redis, clock, number),
        hub({over.engine, over.scheduler, clock, over.deadlines}, part::hub_limits({}), rules(false)) {
    over.engine.set_rules(rules(true));
    sanctions.set_limit(few_bytes);
    const app::InternalRoom::Parts room{hub, over.scheduler, over.deadlines};
    shared =
        std::make_unique<app::SharedSanctions>(app::SharedSanctions::Parts{room, sanctions, clock, over.log});
    bus = std::make_unique<app::RoomCommandBus>(app::RoomCommandBus::Parts{room, clock, over.log}, number);
    bus->add("do", *this);
    shared->set_listener(*this);
    over.port.connect();
    shared->start();
    bus->start();
  }
  std::optional<part::CommandBus::Effect> on_command(std::string_view arguments) override {
    commands.emplace_back(arguments);
    return effect;
  }
  void on_sanction(const access::Sanction& sanction) override { told.push_back(sanction.user); }
  void on_all_sanctions() override { ++read; }

  bool is_banned(std::string_view user) {
    access::Profile profile;
    profile.id = user;
    return sanctions.check_ban(access::Identity(std::move(profile)), {}, "room").has_value();
  }

  test::RedisEngine over;
  hub::Hub hub;
  access::Sanctions sanctions;
  std::unique_ptr<app::SharedSanctions> shared;
  std::unique_ptr<app::RoomCommandBus> bus;
  std::optional<part::CommandBus::Effect> effect = part::CommandBus::Effect{1, std::nullopt};
  std::vector<std::string> commands;
  std::vector<std::string> told;
  int read = 0;
};

struct Fixture {
  Node& start(std::uint64_t number) {
    nodes.push_back(std::make_unique<Node>(redis, clock, number));
    settle();
    return *nodes.back();
  }
  /// All that is asked for is answered, but for those that stand still.
  void settle() {
    for (bool is_busy = true; is_busy;) {
      is_busy = false;
      for (auto& node : nodes) {
        if (node.get() == still) continue;
        node->over.scheduler.run_turn(node->hub);
        const bool has_answered = node->over.port.answer_one();
        const bool has_pushed = node->over.port.push_one();
        node->over.scheduler.run_turn(node->hub);
        is_busy = is_busy || has_answered || has_pushed || !node->over.port.is_idle();
      }
    }
  }
  void pass(std::int64_t ms) {
    for (; ms > 0; ms -= 500) {
      clock.advance(500);
      for (auto& node : nodes)
        if (node.get() != still) node->over.deadlines.sweep();
      settle();
    }
  }
  static access::Sanction ban(std::string user) {
    access::Sanction made;
    made.user = std::move(user);
    made.by = "key:mod";
    return made;
  }
  Kept put(Node& node, const access::Sanction& sanction) {
    std::optional<Kept> kept;
    node.shared->put(sanction, [&kept](const Kept& result) { kept = result; });
    settle();
    return kept.value();
  }
  Kept lift(Node& node, const access::Sanction& sanction) {
    std::optional<Kept> kept;
    node.shared->lift(sanction, [&kept](const Kept& result) { kept = result; });
    settle();
    return kept.value();
  }
  std::optional<Outcome> send(Node& node, std::string_view arguments = "{}") {
    outcome.reset();
    node.bus->send("do", arguments, [this](const Outcome& result) { outcome = result; });
    settle();
    return outcome;
  }
  /// Another process of Redis, with what `then` has.
  void restart_redis(const test::FakeRedis::Data& then) {
    for (auto& node : nodes) {
      node->over.port.set_calls(false);
      node->over.port.set_pushes(false);
    }
    redis.fail_over(then);
    for (auto& node : nodes)
      node->over.port.connect();
    settle();
  }

  test::FakeRedis redis;
  test::FakeClock clock;
  std::vector<std::unique_ptr<Node>> nodes;
  Node* still = nullptr;
  std::optional<Outcome> outcome;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "a sanction is in force on all servers, under one id, and those that start later have it") {
  Node& a = start(1);
  Node& b = start(2);
  CHECK(a.read == 1);
  const Kept kept = put(a, ban("ada"));
  REQUIRE(kept);
  CHECK(kept->nodes == 2);
  CHECK(a.is_banned("ada"));
  CHECK(b.is_banned("ada"));
  CHECK(a.told == std::vector<std::string>{"ada"});
  CHECK(b.told == std::vector<std::string>{"ada"});
  REQUIRE(a.sanctions.get(kept->id) != nullptr);
  REQUIRE(b.sanctions.get(kept->id) != nullptr);
  CHECK(b.sanctions.get(kept->id)->by == "key:mod");
  (void)put(b, ban("bob"));
  Node& c = start(3);
  CHECK(c.is_banned("ada"));
  CHECK(c.is_banned("bob"));
  CHECK(c.told.empty());
  CHECK(c.read == 1);
  REQUIRE(lift(c, ban("ada")));
  for (const Node* node : {&a, &b, &c})
    CHECK(node->sanctions.count(access::Sanction::Kind::ban) == 1);
  CHECK(lift(a, ban("ada")).error().code == Code::not_found);
  CHECK(!start(4).is_banned("ada"));
}

TEST_CASE_FIXTURE(Fixture, "of two decisions at a time the later in the room counts everywhere") {
  Node& a = start(1);
  Node& b = start(2);
  (void)put(a, ban("ada"));
  access::Sanction other = ban("ada");
  other.reason = "of b";
  // Both are on their way at once.
  std::optional<Kept> lifted;
  std::optional<Kept> kept;
  a.shared->lift(ban("ada"), [&](const Kept& result) { lifted = result; });
  b.shared->put(other, [&](const Kept& result) { kept = result; });
  settle();
  REQUIRE(lifted.value());
  REQUIRE(kept.value());
  CHECK(a.is_banned("ada") == b.is_banned("ada"));
  CHECK(start(3).is_banned("ada") == a.is_banned("ada"));
}

TEST_CASE_FIXTURE(Fixture,
                  "what ends by itself is over for those that start later, and leaves nothing behind") {
  Node& a = start(1);
  access::Sanction brief = ban("ada");
  brief.until_s = clock.wall_ms() / 1'000 + 10;
  (void)put(a, brief);
  clock.advance(11'000);
  CHECK(!a.sanctions.expire(clock.wall_ms() / 1'000));
  CHECK(!start(2).is_banned("ada"));
  (void)put(a, ban("bob"));
  (void)put(a, ban("cid"));
  CHECK(a.shared->size() == 2);
}

TEST_CASE_FIXTURE(
    Fixture, "a sanction in force outlives what the room keeps, and one that was lifted does not come back") {
  Node& a = start(1);
  Node& b = start(2);
  const Kept old = put(a, ban("ada"));
  REQUIRE(old);
  (void)put(a, ban("eve"));
  REQUIRE(lift(a, ban("eve")));
  for (int i = 0; i < 4'000; ++i)
    (void)put(i % 2 == 0 ? a : b, ban("u" + std::to_string(i % 10)));
  Node& c = start(3);
  CHECK(c.is_banned("ada"));
  CHECK(!c.is_banned("eve"));
  CHECK(c.sanctions.count(access::Sanction::Kind::ban) == 11);
  REQUIRE(c.sanctions.get(old->id) != nullptr);
  CHECK(c.sanctions.get(old->id)->user == "ada");
}

TEST_CASE_FIXTURE(Fixture,
                  "a Redis that has forgotten everything, or the end, gets it from the servers again") {
  Node& a = start(1);
  Node& b = start(2);
  (void)put(a, ban("ada"));
  const test::FakeRedis::Data before = redis.data;
  (void)put(b, ban("bob"));
  test::FakeRedis::Data then;
  SUBCASE("everything") {}
  SUBCASE("the end") { then = before; }
  restart_redis(then);
  // Publishes tell the engines of the room's other log at once; by itself that takes them longer.
  (void)put(a, ban("cid"));
  pass(10'000);
  CHECK(a.is_banned("ada"));
  CHECK(b.is_banned("bob"));
  a.over.port.set_calls(false);
  Node& c = start(3);
  CHECK(c.is_banned("ada"));
  CHECK(c.is_banned("bob"));
  CHECK(c.is_banned("cid"));
}

TEST_CASE_FIXTURE(Fixture,
                  "nothing is decided before the others' decisions are known, or while Redis is away") {
  nodes.push_back(std::make_unique<Node>(redis, clock, 1));
  Node& a = *nodes.back();
  std::optional<Kept> early;
  a.shared->put(ban("ada"), [&early](const Kept& result) { early = result; });
  settle();
  CHECK(early.value().error().code == Code::unavailable);
  CHECK(!a.is_banned("ada"));
  a.over.port.set_calls(false);
  std::optional<Kept> kept;
  a.shared->put(ban("ada"), [&kept](const Kept& result) { kept = result; });
  pass(12'000);
  CHECK(kept.value().error().code == Code::unavailable);
  CHECK(!a.is_banned("ada"));
}

TEST_CASE_FIXTURE(Fixture, "a command is done by all servers, and the sender told by how many") {
  Node& a = start(1);
  Node& b = start(2);
  Node& c = start(3);
  b.effect->clients = 3;
  c.effect = part::CommandBus::Effect{0, base::Refusal{Code::already_subscribed, "it is there"}};
  send(a, R"({"user":"ada"})");
  REQUIRE(outcome);
  CHECK(outcome->clients == 4);
  CHECK(outcome->nodes == 3);
  CHECK(outcome->silent_nodes == 0);
  REQUIRE(outcome->refusal);
  CHECK(outcome->refusal->code == Code::already_subscribed);
  CHECK(outcome->refusal->message == "it is there");
  for (const Node* node : {&a, &b, &c})
    CHECK(node->commands == std::vector<std::string>{R"({"user":"ada"})"});
  // What happened before it started concerns no client of a server.
  CHECK(start(4).commands.empty());
}

TEST_CASE_FIXTURE(Fixture, "a server that stands still is waited for two seconds, and does it later") {
  Node& a = start(1);
  Node& b = start(2);
  still = &b;
  send(a);
  CHECK(!outcome);
  pass(1'500);
  CHECK(!outcome);
  pass(1'000);
  REQUIRE(outcome);
  CHECK(outcome->nodes == 1);
  CHECK(outcome->silent_nodes == 1);
  CHECK(b.commands.empty());
  still = nullptr;
  settle();
  CHECK(b.commands.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a server that was cut off does what was sent meanwhile, once and in order") {
  Node& a = start(1);
  Node& b = start(2);
  b.over.port.set_pushes(false);
  send(a, R"({"n":1})");
  send(a, R"({"n":2})");
  CHECK(b.commands.empty());
  b.over.port.connect();
  settle();
  send(a, R"({"n":3})");
  CHECK(b.commands == std::vector<std::string>{R"({"n":1})", R"({"n":2})", R"({"n":3})"});
}

TEST_CASE_FIXTURE(
    Fixture,
    "a command that can't be sent is done nowhere; one that is not known somewhere is not counted there") {
  Node& a = start(1);
  Node& b = start(2);
  b.effect.reset();
  send(a);
  pass(2'500);
  REQUIRE(outcome);
  CHECK(outcome->nodes == 1);
  CHECK(outcome->silent_nodes == 1);
  a.over.port.set_calls(false);
  send(a, R"({"n":2})");
  pass(12'000);
  REQUIRE(outcome);
  CHECK(outcome->nodes == 0);
  REQUIRE(outcome->refusal);
  CHECK(outcome->refusal->code == Code::unavailable);
  CHECK(a.commands.size() == 1);
}

}  // namespace shared_rooms_test
