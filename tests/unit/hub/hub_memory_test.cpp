// What the hub retains, and what it evicts first.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/hub_fixture.h"

namespace hub_memory_test {

using namespace roomcast;

namespace {

struct Reader final : hub::Subscriber {
  void on_joined(hub::Membership& /*membership*/, const hub::Joined& joined) override {
    cursor = joined.cursor;
    has_gap = joined.gap.has_value();
  }
  void on_gap(hub::Membership& /*membership*/, const hub::Gap& /*gap*/) override {}
  void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
  void deliver(hub::Batch& batch, std::size_t from) override { count += batch.messages().size() - from; }
  hub::Position cursor;
  bool has_gap = false;
  std::size_t count = 0;
};

struct Fixture : test::HubFixture<> {
  std::vector<std::unique_ptr<hub::Membership>> members;
  std::vector<std::unique_ptr<Reader>> readers;

  void publish(std::string_view room, std::size_t size = 100, hub::Source source = 0) {
    hub.publish(room, {hub::Kind::text, base::Bytes::copy_of(std::string(size, 'x')), {}, 0, source});
    turn();
  }
  Reader& join(std::string_view room, const hub::Interest& interest = {}) {
    readers.push_back(std::make_unique<Reader>());
    members.push_back(hub.subscribe(room, *readers.back(), interest));
    turn();
    return *readers.back();
  }
  /// Joins and leaves.
  void visit(std::string_view room) {
    join(room);
    members.pop_back();
  }
  /// How many messages of the room are kept.
  std::size_t kept(std::string_view room) {
    Reader reader;
    const auto member = hub.subscribe(room, reader, {std::nullopt, 1'000'000});
    turn();
    return reader.count;
  }
  void limit(std::size_t bytes) {
    limits.history_bytes = bytes;
    hub.set_limits(limits);
  }
  [[nodiscard]] bool remembers(const std::string& room) const {
    return std::count(engine.log.begin(), engine.log.end(), "+" + room) >
           std::count(engine.log.begin(), engine.log.end(), "-" + room);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "hub memory: what a room and its messages take comes back to nothing") {
  publish("one");
  const std::size_t one = hub.history_bytes();
  CHECK(one > 100);
  publish("one");
  CHECK(hub.history_bytes() > one + 100);
  join("one");
  visit("two");
  members.clear();
  pass(600'000);
  CHECK(hub.rooms() == 0);
  CHECK(hub.history_bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "hub memory: messages age while the room has members, the room does not") {
  join("lobby");
  publish("lobby");
  pass(300'000);
  publish("lobby");
  pass(299'999);
  CHECK(kept("lobby") == 2);
  pass(1);
  CHECK(kept("lobby") == 1);
  pass(300'000);
  CHECK(kept("lobby") == 0);
  pass(10'000'000);
  CHECK(hub.rooms() == 1);
  CHECK(join("lobby", {hub::Position{1, 2}, {}}).has_gap == false);
}

TEST_CASE_FIXTURE(Fixture, "hub memory: a room that is forgotten comes back with another epoch") {
  publish("lobby");
  pass(600'000);
  REQUIRE(hub.rooms() == 0);
  Reader& reader = join("lobby", {hub::Position{1, 1}, {}});
  CHECK(reader.has_gap);
  CHECK(reader.cursor == hub::Position{2, 0});
}

TEST_CASE_FIXTURE(Fixture, "hub memory: joining, leaving and publishing each keep a room for its whole age") {
  const auto check = [&](auto use) {
    visit("lobby");
    pass(599'999);
    use();
    pass(599'999);
    CHECK(hub.rooms() == 1);
    members.clear();
    pass(600'000);
    CHECK(hub.rooms() == 0);
  };
  check([&] { visit("lobby"); });
  check([&] { publish("lobby"); });
  check([&] { kept("lobby"); });
}

TEST_CASE_FIXTURE(Fixture,
                  "hub memory: the emptiest room goes first, then the oldest messages of the quietest") {
  for (const std::string room : {"a", "b", "c"}) {
    for (int i = 0; i < 3; ++i)
      publish(room);
  }
  visit("empty");
  join("lived in");
  publish("a");  // "b" is the one that has been quiet longest now
  const std::size_t all = hub.history_bytes();
  limit(all);
  CHECK(remembers("empty"));
  limit(all - 1);
  CHECK_FALSE(remembers("empty"));
  const std::size_t rooms_left = hub.history_bytes();
  limit(rooms_left - 1);
  CHECK(kept("b") == 2);  // asking makes it the one used last: "c" is next
  limit(hub.history_bytes() - 1);
  CHECK(kept("c") == 2);
  CHECK(kept("a") == 4);
  limit(0);
  CHECK(kept("a") == 0);
  limit(0);
  CHECK(hub.rooms() == 1);
  CHECK(remembers("lived in"));
}

TEST_CASE_FIXTURE(Fixture, "hub memory: any number of room names costs no more than the limit") {
  limit(100'000);
  for (int i = 0; i < 10'000; ++i) {
    const std::string room = "room " + std::to_string(i);
    if (i % 3 == 0) publish(room);
    if (i % 3 == 1) visit(room);
    if (i % 3 == 2) (void)hub.subscribe(room, *readers.front());
    REQUIRE(hub.history_bytes() <= 100'000);
    if (i % 100 == 99) {
      readers.erase(readers.begin() + 1, readers.end());
    }
  }
  CHECK(hub.rooms() < 200);
  CHECK(hub.rooms() > 50);
}

TEST_CASE_FIXTURE(Fixture, "hub memory: rooms that an engine never opens are bounded all the same") {
  limit(100'000);
  engine.hold_rooms = true;
  for (int i = 0; i < 10'000; ++i)
    publish("room " + std::to_string(i));
  CHECK(hub.history_bytes() <= 100'000);
}

TEST_CASE_FIXTURE(Fixture, "hub memory: other settings apply to the rooms there are, at once") {
  for (int i = 0; i < 10; ++i) {
    publish("chat/lobby");
    publish("news");
  }
  hub::RoomSettings few = part::room_settings({});
  few.history.messages = 4;
  hub.set_rules(hub::RoomRules(part::room_settings({}), {{"chat/**", few}}));
  CHECK(kept("chat/lobby") == 4);
  CHECK(kept("news") == 10);
  publish("chat/lobby");
  CHECK(kept("chat/lobby") == 4);

  hub::RoomSettings short_lived = part::room_settings({});
  short_lived.history.age_ms = 1'000;
  pass(999);
  hub.set_rules(hub::RoomRules(part::room_settings({}), {{"news", short_lived}}));
  CHECK(kept("news") == 10);
  pass(1);
  CHECK(kept("news") == 0);
  pass(1'000);
  CHECK_FALSE(remembers("news"));
  CHECK(remembers("chat/lobby"));
  short_lived.history.age_ms = 1;
  hub.set_rules(hub::RoomRules(short_lived));
  CHECK(hub.rooms() == 0);
  CHECK(hub.history_bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "hub memory: when memory is short half of it goes, the emptiest and oldest first") {
  for (int i = 0; i < 8; ++i)
    publish("old");
  for (int i = 0; i < 8; ++i)
    publish("new");
  for (int i = 0; i < 4; ++i)
    visit("empty " + std::to_string(i));
  const std::size_t before = hub.history_bytes();
  const std::size_t shed = hub.shed_history();
  CHECK(shed == before - hub.history_bytes());
  CHECK_FALSE(remembers("empty 0"));
  CHECK_FALSE(remembers("empty 1"));
  CHECK(remembers("empty 2"));
  CHECK(kept("new") == 8);
  CHECK(kept("old") == 0);
  for (int i = 0; i < 20; ++i)
    hub.shed_history();
  CHECK(hub.rooms() == 0);
  CHECK(hub.history_bytes() == 0);
  CHECK(hub.shed_history() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "hub memory: a room that keeps no messages is remembered, and forgotten, all the same") {
  hub::RoomSettings none = part::room_settings({});
  none.history.messages = 0;
  hub.set_rules(hub::RoomRules(none));
  publish("lobby");
  pass(599'999);
  CHECK_FALSE(join("lobby", {hub::Position{1, 1}, {}}).has_gap);
  members.clear();
  pass(600'000);
  CHECK(hub.rooms() == 0);
  publish("lobby");
  pass(600'000);
  CHECK(hub.rooms() == 0);
}

namespace {

constexpr hub::Source others = 1;
constexpr hub::Source flooder = 2;
constexpr int quiet_rooms = 20;

struct Flooded : Fixture {
  Flooded() {
    limit(400'000);
    for (int i = 0; i < quiet_rooms; ++i)
      publish("quiet" + std::to_string(i), 1'000, others);
  }
  /// Of the messages that others published before the flood.
  std::size_t left() {
    std::size_t count = 0;
    for (int i = 0; i < quiet_rooms; ++i)
      count += kept("quiet" + std::to_string(i)) != 0 ? 1 : 0;
    return count;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Flooded, "hub memory: a source with more than a quarter of all pushes out its own first") {
  for (int i = 0; i < 1'000; ++i)
    publish("flood" + std::to_string(i % 10), 1'000, flooder);
  CHECK(left() == quiet_rooms);
  CHECK(kept("flood9") > 5);
}

TEST_CASE_FIXTURE(Flooded, "hub memory: tiny messages into ever new rooms count as what the rooms take") {
  for (int i = 0; i < 2'000; ++i)
    publish("flood" + std::to_string(i), 1, flooder);
  CHECK(left() == quiet_rooms);
}

TEST_CASE_FIXTURE(Flooded,
                  "hub memory: a flooder's message into a shared room does not make other messages its own") {
  for (int i = 0; i < quiet_rooms; ++i)
    publish("quiet" + std::to_string(i), 1, flooder);
  for (int i = 0; i < 1'000; ++i)
    publish("flood" + std::to_string(i), 1'000, flooder);
  CHECK(left() == quiet_rooms);
  CHECK(kept("quiet0") == 2);
}

TEST_CASE_FIXTURE(Flooded, "hub memory: of unknown sources the rooms unused longest lose first") {
  for (int i = 0; i < 1'000; ++i)
    publish("flood" + std::to_string(i), 1'000);
  CHECK(left() == 0);
}

}  // namespace hub_memory_test
