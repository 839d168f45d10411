#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/hub_fixture.h"
#include "support/read_history.h"

namespace read_history_test {

using namespace roomcast;

namespace {

struct Fixture : test::HubFixture<> {
  Fixture() : HubFixture(part::hub_limits({}), retaining(5'000)) {}
  static hub::RoomRules retaining(std::size_t messages) {
    return hub::RoomRules({{messages, 1'000'000, 60'000}, part::room_settings({}).presence});
  }

  void publish(std::string_view payload) {
    hub.publish("lobby", {hub::Kind::text, base::Bytes::copy_of(payload), {}, 0});
  }
  void publish_numbers(int count) {
    for (int i = 1; i <= count; ++i)
      publish(std::to_string(i));
  }
  hub::HistoryPage read(const std::optional<hub::Position>& since, const std::optional<std::size_t>& limit) {
    auto page = test::read_now(hub, "lobby", since, limit);
    REQUIRE(page.has_value());
    return std::move(*page);
  }
  static std::string text_of(const hub::HistoryPage& page) {
    std::string text;
    for (const hub::Message& message : page.messages)
      text += std::string(message.payload.view()) + " ";
    return text + std::to_string(page.cursor.offset) + (page.more ? " more" : "");
  }
};

using Words = std::vector<std::string>;

/// The engine does not say at once where rooms stand.
struct Opening : Fixture {
  Opening() { engine.hold_rooms = true; }
  void ask(const std::optional<std::size_t>& limit = {}, std::string_view room = "lobby") {
    hub.read_history(room, {}, limit, [this](const hub::HistoryResult& result) {
      answers.push_back(result ? text_of(*result) : std::string(hub::describe(result.error().code).name));
    });
  }
  Words answers;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "history page: of a room without messages it is empty, at the room's cursor") {
  const hub::HistoryPage page = read({}, {});
  CHECK(text_of(page) == "0");
  CHECK(page.cursor.epoch == 1);
  CHECK_FALSE(page.gap);
}

TEST_CASE_FIXTURE(Fixture,
                  "history page: without a cursor it begins with the last ones, as many as asked for") {
  publish_numbers(5);
  CHECK(text_of(read({}, 2)) == "4 5 5");
  CHECK(text_of(read({}, 5)) == "1 2 3 4 5 5");
  CHECK(text_of(read({}, 6)) == "1 2 3 4 5 5");
  CHECK(text_of(read({}, {})) == "1 2 3 4 5 5");
  CHECK(text_of(read({}, 0)) == "5");
}

TEST_CASE_FIXTURE(Fixture, "history page: a cursor gives what follows it, and more says that there is more") {
  publish_numbers(5);
  CHECK(text_of(read(hub::Position{1, 2}, {})) == "3 4 5 5");
  CHECK(text_of(read(hub::Position{1, 2}, 2)) == "3 4 4 more");
  CHECK(text_of(read(hub::Position{1, 2}, 0)) == "2 more");
  CHECK(text_of(read(hub::Position{1, 5}, {})) == "5");
}

TEST_CASE_FIXTURE(Fixture,
                  "history page: a cursor that proves nothing gives a gap and then all that is kept") {
  publish_numbers(3);
  for (const hub::Position since : {hub::Position{2, 1}, hub::Position{1, 4}}) {
    const hub::HistoryPage page = read(since, 2);
    CHECK(text_of(page) == "1 2 2 more");
    REQUIRE(page.gap);
    CHECK(page.gap->cursor == hub::Position{1, 0});
    CHECK(page.gap->earliest == hub::Position{1, 0});
  }
}

TEST_CASE_FIXTURE(Fixture, "history page: it holds at most 128 KiB of payload, but always a message") {
  publish(std::string(131'072, 'x'));
  CHECK(read({}, {}).messages.size() == 1);
  publish("y");
  const hub::HistoryPage first = read({}, {});
  CHECK(first.messages.size() == 1);
  CHECK(first.more);
  CHECK(text_of(read(first.cursor, {})) == "y 2");
  publish(std::string(200'000, 'z'));
  CHECK(read(hub::Position{1, 2}, {}).messages.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "history page: it holds at most 1,000 messages, however small") {
  publish_numbers(1'001);
  const hub::HistoryPage page = read({}, {});
  CHECK(page.messages.size() == 1'000);
  CHECK(page.more);
  CHECK(text_of(read(page.cursor, {})) == "1001 1001");
}

TEST_CASE_FIXTURE(Opening, "history page: of a room that is being opened it comes once that is open") {
  ask();
  ask(1);
  CHECK(answers.empty());
  engine.events().on_subscribed("lobby", hub::LogState({1, 7}));
  CHECK(answers == Words{"7", "7"});
}

TEST_CASE_FIXTURE(Opening, "history page: a room that can't be opened, or not in time, gives its refusal") {
  ask();
  engine.events().on_subscribe_refused("lobby", {hub::Refusal::Code::store_busy, "busy"});
  CHECK(answers == Words{"store_busy"});
  ask();
  pass(limits.engine_ms);
  pass(1'000);
  CHECK(answers == Words{"store_busy", "timed_out"});
  engine.events().on_subscribed("lobby", hub::LogState({1, 7}));
  CHECK(answers.size() == 2);
}

TEST_CASE_FIXTURE(Opening, "history page: so many wait for rooms to be opened, and no more") {
  for (int i = 0; i < 64; ++i)
    ask({}, "room " + std::to_string(i));
  CHECK(answers.empty());
  ask();
  CHECK(answers == Words{"overloaded"});
  engine.events().on_subscribed("room 3", hub::LogState({1, 7}));
  ask();
  CHECK(answers == Words{"overloaded", "7"});
}

TEST_CASE_FIXTURE(Opening, "history page: a room that a question waits for is not forgotten") {
  ask();
  hub.shed_history();
  turn();
  CHECK(hub.rooms() == 1);
  engine.events().on_subscribed("lobby", hub::LogState({1, 7}));
  CHECK(answers == Words{"7"});
  hub.shed_history();
  turn();
  CHECK(hub.rooms() == 0);
}

TEST_CASE_FIXTURE(Fixture, "history page: reading unused rooms takes no more memory than is allowed") {
  limits.backlog_bytes = 1'000;
  limits.history_bytes = 10'000;
  hub.set_limits(limits);
  for (int i = 0; i < 1'000; ++i)
    CHECK(test::read_now(hub, "room " + std::to_string(i), {}, {}).has_value());
  CHECK(hub.history_bytes() <= 10'000 + 1'000);  // the newest room comes on top
  CHECK(hub.rooms() < 100);
}

TEST_CASE_FIXTURE(Fixture, "history page: what waits to be handed out and is not kept is a gap") {
  hub.set_rules(retaining(2));
  publish_numbers(5);
  const hub::HistoryPage page = read(hub::Position{1, 1}, {});
  CHECK(text_of(page) == "4 5 5");
  REQUIRE(page.gap);
  CHECK(page.gap->earliest == hub::Position{1, 3});
  CHECK_FALSE(read(hub::Position{1, 3}, {}).gap);
}

}  // namespace read_history_test
