// Answers of an engine that the hub did not ask for, or that come when what they answer has changed.
#include <doctest/doctest.h>

#include <optional>
#include <utility>
#include <vector>

#include "unit/hub/late_fixture.h"

namespace hub_stray_answers_test {

using namespace roomcast;
using namespace roomcast::hub;
using roomcast::hub::test::Hearer;
using roomcast::hub::test::LateFixture;

namespace {

struct Fixture : LateFixture {
  /// Asks for the room's past after `since`; `pages` gets the answer.
  void ask(Position since, std::optional<std::size_t> limit = std::nullopt) {
    hub.read_history("lobby", since, limit, [this](const HistoryResult& result) { pages.push_back(result); });
  }
  /// Ten messages in the room, of which the hub itself keeps four.
  void open_with_past() {
    join(hearer);
    settle();
    elsewhere(1, 10);
    settle();
    (void)hearer.take();
  }

  Hearer hearer;
  std::vector<HistoryResult> pages;
};

Message message_at(const Position& position) {
  return {Kind::text, base::Bytes::copy_of("x"), {}, 0, position, 0};
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "hub: answers for rooms and tickets that it does not know change nothing") {
  EngineEvents& events = engine.events();
  events.on_subscribed("nowhere", LogState({1, 0}));
  events.on_subscribe_refused("nowhere", engine.refusal);
  events.on_message("nowhere", message_at({1, 1}));
  events.on_lost("nowhere");
  events.on_resumed("nowhere", LogState({2, 0}));
  events.on_published(12'345, Published{Position{1, 1}});
  events.on_page(12'345, LogPage{});
  turn();
  CHECK(hub.stats().published == 0);
  CHECK(hub.stats().lost == 0);
  CHECK(engine.subscribes == 0);
  CHECK(hub.subscribers("nowhere") == 0);
}

TEST_CASE_FIXTURE(Fixture, "hub: a room that is open is not opened again, nor refused") {
  join(hearer);
  settle();
  engine.events().on_subscribed("lobby", LogState({7, 7}));
  engine.events().on_subscribe_refused("lobby", engine.refusal);
  hub.publish("lobby", text("a"));
  settle();
  CHECK(hearer.take() == "joined 0 / a");
  CHECK(hearer.is_sound);
  CHECK(hearer.at == Position{1, 1});
}

TEST_CASE_FIXTURE(Fixture, "hub: what comes for a room that is not open yet is left out") {
  join(hearer);
  engine.events().on_message("lobby", message_at({1, 1}));
  engine.events().on_lost("lobby");
  engine.events().on_resumed("lobby", LogState({2, 0}));
  turn();
  CHECK(hearer.take().empty());
  settle();
  CHECK(hearer.take() == "joined 0");
  CHECK(hub.stats().lost == 0);
}

TEST_CASE_FIXTURE(Fixture, "hub: a message of another log that nobody announced is behind a gap") {
  join(hearer);
  settle();
  engine.events().on_message("lobby", message_at({2, 1}));
  turn();
  CHECK(hearer.take() == "joined 0 / behind / gap 0 / x");
  CHECK(hearer.is_sound);
  CHECK(hearer.at == Position{2, 1});
  CHECK(hub.stats().lost == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "hub: so many pages of history may be read from the engine at a time, and no more") {
  constexpr std::size_t most = 64;
  open_with_past();
  for (std::size_t i = 0; i < most; ++i)
    ask({1, 0});
  CHECK(pages.empty());
  ask({1, 0});
  REQUIRE(pages.size() == 1);
  REQUIRE_FALSE(pages[0]);
  CHECK(pages[0].error().code == Refusal::Code::overloaded);
  CHECK(std::exchange(engine.reads, 0) == most);
  // What the hub keeps itself is not counted.
  ask({1, 8});
  REQUIRE(pages.size() == 2);
  REQUIRE(pages[1]);
  CHECK(pages[1]->messages.size() == 2);
  engine.answer();
  REQUIRE(pages.size() == 2 + most);
  REQUIRE(pages.back());
  CHECK(pages.back()->messages.size() == 10);
  CHECK_FALSE(pages.back()->gap);
  ask({1, 0});
  CHECK(engine.reads == 1);
}

TEST_CASE_FIXTURE(Fixture, "hub: a page of a log that has been replaced meanwhile is a gap") {
  open_with_past();
  ask({1, 0});
  engine.reset("lobby");
  turn();
  CHECK(pages.empty());
  engine.answer();
  REQUIRE(pages.size() == 1);
  REQUIRE(pages[0]);
  CHECK(pages[0]->messages.empty());
  CHECK(pages[0]->gap.has_value());
  CHECK(pages[0]->cursor == Position{2, 0});
  CHECK_FALSE(pages[0]->more);
}

}  // namespace hub_stray_answers_test
