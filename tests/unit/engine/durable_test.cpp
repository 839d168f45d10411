// The durable engine over a disk that the test moves on, fills, breaks and takes the power from.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "unit/engine/durable_fixture.h"

namespace durable_test {

using namespace roomcast;
using test::Words;

namespace {

using Fixture = test::DurableFixture;

struct Async : Fixture {
  Async() : Fixture(hub::Durability::async) {}
};

}  // namespace

// --- sync ---

TEST_CASE_FIXTURE(Fixture, "durable engine: a sync message is announced when it is on the disk, not before") {
  open();
  publish("hi", 1);
  store.begin_commit();
  CHECK(events.take().empty());
  publish("ho", 2);
  store.end_commit();
  CHECK(events.take() == Words{"a=1 hi", "#1 1 durable"});
  CHECK(settled() == Words{"a=2 ho", "#2 2 durable"});
  CHECK(store.take_types() == "room message message");
  CHECK(store.is_sound);
}

TEST_CASE_FIXTURE(Fixture, "durable engine: what was announced is there after a crash, in the same log") {
  open();
  publish("hi", 1);
  server->settle();
  const std::uint64_t before = epoch();
  publish("lost", 2);
  crash(hub::Durability::sync);
  events.take();
  engine().subscribe("a");
  CHECK(settled() == Words{"a open at 1"});
  CHECK(epoch() == before);
  CHECK(events.state->holes.empty());
  publish("ho", 3);
  CHECK(settled() == Words{"a=2 ho", "#3 2 durable"});
  engine().read("a", {epoch(), 0}, 10, 1'000, 4);
  CHECK(settled() == Words{"page 4: hi ho"});
}

TEST_CASE_FIXTURE(Fixture,
                  "durable engine: a commit that takes too long is answered, and announced when it comes") {
  open();
  publish("hi", 1);
  server->pass(4'999);
  CHECK(events.take().empty());
  server->pass(150);
  CHECK(events.take() == Words{"#1 store_timeout"});
  CHECK(engine().stats().timeouts == 1);
  CHECK(settled() == Words{"a=1 hi"});
}

TEST_CASE_FIXTURE(Fixture, "durable engine: only what has waited long enough is answered") {
  open();
  publish("a", 1);
  server->pass(3'000);
  publish("b", 2);
  server->pass(2'500);
  CHECK(events.take() == Words{"#1 store_timeout"});
  CHECK(settled() == Words{"a=1 a", "a=2 b", "#2 2 durable"});
}

TEST_CASE_FIXTURE(Fixture, "durable engine: a full queue, a full disk and a broken one are refused at once") {
  open();
  store.queue_bytes_max = 2'000;
  publish(std::string(1'500, 'x'), 1);
  publish(std::string(1'500, 'x'), 2);
  CHECK(events.take() == Words{"#2 store_busy"});
  server->settle();
  events.take();
  store.set_state(store::State::full);
  publish("x", 3);
  store.set_state(store::State::failed);
  publish("x", 4);
  store.set_state(store::State::ok);
  publish("x", 5);
  CHECK(settled() == Words{"#3 store_full", "#4 store_failed", "a=2 x", "#5 2 durable"});
}

TEST_CASE_FIXTURE(Fixture, "durable engine: one room gets no more than half of the queue") {
  open("a");
  open("b");
  store.queue_bytes_max = 100'000;
  hub::Ticket refused = 0;
  for (hub::Ticket ticket = 1; ticket <= 100 && refused == 0; ++ticket) {
    publish(std::string(1'000, 'x'), ticket);
    if (!events.take().empty()) refused = ticket;
  }
  CHECK(refused > 30);
  CHECK(refused < 55);
  publish("y", 200, {}, "b");
  CHECK(settled().back() == "#200 1 durable");
}

TEST_CASE_FIXTURE(Async, "durable engine: an async room gets no more than half of it either, and others do") {
  open("a");
  open("b");
  for (const std::string_view room : {"a", "b"})
    publish("x", 0, {}, room);
  server->settle();
  events.take();
  store.queue_bytes_max = 100'000;
  for (int i = 0; i < 100; ++i)
    publish(std::string(1'000, 'x'));
  CHECK(engine().stats().left_out > 45);
  CHECK(engine().stats().left_out < 70);
  // Half of it may be on its way while the next batch is filled.
  store.begin_commit();
  const std::uint64_t left_out = engine().stats().left_out;
  publish(std::string(4'000, 'x'));
  CHECK(engine().stats().left_out == left_out + 1);
  publish("y", 0, {}, "b");
  CHECK(engine().stats().left_out == left_out + 1);
  store.end_commit();
  publish("x");
  CHECK(engine().stats().left_out == left_out + 1);
}

TEST_CASE_FIXTURE(Fixture, "durable engine: times in a room never go back") {
  open();
  publish("x");
  clock.wall_now_ms -= 3'600'000;
  publish("y");
  server->settle();
  REQUIRE(events.times.size() == 2);
  CHECK(events.times[1] == events.times[0]);
  crash(hub::Durability::sync);
  open();
  publish("z");
  server->settle();
  CHECK(events.times[2] == events.times[0]);
}

// --- Rooms ---

TEST_CASE_FIXTURE(Fixture,
                  "durable engine: what is published while the room is loaded waits, 64 KiB at most") {
  engine().subscribe("a");
  publish("x", 1);
  publish(std::string(65'536, 'y'), 2);
  CHECK(events.take() == Words{"#2 store_busy"});
  CHECK(settled() == Words{"a open at 0", "a=1 x", "#1 1 durable"});
}

TEST_CASE_FIXTURE(Fixture, "durable engine: one message may wait for the room however large it is") {
  engine().subscribe("a");
  publish(std::string(200'000, 'x'), 1);
  CHECK(events.take().empty());
  publish("y", 2);
  CHECK(events.take() == Words{"#2 store_busy"});
  server->settle();
  CHECK(events.take().back() == "#1 1 durable");
  CHECK(store.on_disk("a").messages.at(1).size() > 200'000);
}

TEST_CASE_FIXTURE(Fixture, "durable engine: a room that takes too long to be loaded is answered for, too") {
  engine().subscribe("a");
  engine().subscribe("b");
  publish("x", 1);
  server->pass(3'000);
  publish("y", 2);
  publish("z", 3, {}, "b");
  server->pass(1'999);
  CHECK(events.take().empty());
  server->pass(150);
  CHECK(events.take() == Words{"#1 store_timeout"});
  server->pass(3'000);
  CHECK(events.take() == Words{"#2 store_timeout", "#3 store_timeout"});
  CHECK(engine().stats().timeouts == 3);
  server->pass(10'000);
  CHECK(settled() == Words{"a open at 0", "b open at 0", "a=1 x", "a=2 y", "b=1 z"});
}

TEST_CASE_FIXTURE(Fixture, "durable engine: a room that can't be loaded is refused, with what waits for it") {
  store.refuses = true;
  engine().subscribe("a");
  publish("x", 1);
  CHECK(settled() == Words{"#1 store_busy", "a store_busy"});
  CHECK(engine().rooms() == 0);
  store.refuses = false;
  engine().subscribe("a");
  CHECK(settled() == Words{"a open at 0"});
}

TEST_CASE_FIXTURE(Fixture,
                  "durable engine: a room that is left is forgotten when its messages are on the disk") {
  open();
  publish("x", 1);
  engine().unsubscribe("a");
  CHECK(engine().rooms() == 1);
  CHECK(settled() == Words{"#1 1 durable"});
  CHECK(engine().rooms() == 0);
  engine().subscribe("a");
  CHECK(settled() == Words{"a open at 1"});
}

TEST_CASE_FIXTURE(Fixture, "durable engine: a room that is wanted again meanwhile goes on") {
  open();
  publish("x", 1);
  engine().unsubscribe("a");
  engine().subscribe("a");
  CHECK(events.take() == Words{"a open at 0"});
  CHECK(settled() == Words{"a=1 x", "#1 1 durable"});
  CHECK(engine().rooms() == 1);
}

TEST_CASE_FIXTURE(Fixture, "durable engine: a room that is left while it is loaded is not announced") {
  engine().subscribe("a");
  engine().unsubscribe("a");
  CHECK(settled().empty());
  CHECK(engine().rooms() == 0);
}

TEST_CASE("durable engine: rooms with no durability are those of a memory engine") {
  Fixture f(hub::Durability::none);
  f.engine().subscribe("a");
  f.publish("x", 1);
  CHECK(f.events.take() == Words{"a open at 0", "a=1 x", "#1 1"});
  f.engine().read("a", {f.epoch(), 0}, 10, 1'000, 2);
  CHECK(f.events.take() == Words{"page 2:"});
  f.server->settle();
  CHECK(f.store.take_types().empty());
  f.engine().unsubscribe("a");
  CHECK(f.engine().rooms() == 0);
}

// --- async ---

TEST_CASE_FIXTURE(Async,
                  "durable engine: the first async message waits until offsets are reserved, others do not") {
  open();
  publish("x", 1);
  publish("y", 2);
  CHECK(events.take().empty());
  store.begin_commit();
  publish("z", 3);
  store.end_commit();
  CHECK(events.take() == Words{"a=1 x", "#1 1 durable", "a=2 y", "#2 2 durable", "a=3 z", "#3 3"});
  publish("live", 4);
  CHECK(events.take() == Words{"a=4 live", "#4 4"});
  server->settle();
  CHECK(store.take_types() == "room ceiling message message message message");
  CHECK(store.is_sound);
}

TEST_CASE_FIXTURE(Async,
                  "durable engine: after a crash the log goes on behind what may have been given: a hole") {
  open();
  publish("x", 1);
  server->settle();
  publish("lost", 2);
  CHECK(events.take().back() == "#2 2");
  crash(hub::Durability::async);
  engine().subscribe("a");
  server->settle();
  const std::uint64_t top = events.state->top.offset;
  CHECK(top == engine::DurableLog::reserved_offsets);
  CHECK(events.state->holes == std::vector<hub::Hole>{{2, top}});
  CHECK(engine().stats().crash_holes == 1);
  publish("y", 3);
  CHECK(settled().back() == "#3 " + std::to_string(top + 1) + " durable");
  CHECK(store.take_types() == "room ceiling message hole ceiling message");
  CHECK(store.is_sound);
  engine().read("a", {epoch(), 0}, 10, 1'000, 4);
  CHECK(settled() == Words{"page 4: x y"});
  CHECK(events.page.holes == std::vector<hub::Hole>{{2, top}});
}

TEST_CASE_FIXTURE(
    Async, "durable engine: a quiet room gives back what it has reserved, so that a crash is no hole") {
  open();
  publish("x");
  server->settle();
  server->pass(9'000);
  server->settle();
  CHECK(store.take_types() == "room ceiling message");
  server->pass(1'001);
  server->pass(1'001);
  server->settle();
  CHECK(store.take_types() == "top");
  publish("y", 1);
  CHECK(events.take() == Words{"a=1 x"});
  CHECK(settled() == Words{"a=2 y", "#1 2 durable"});
  server->pass(11'001);
  server->pass(1'001);
  server->settle();
  crash(hub::Durability::async);
  engine().subscribe("a");
  CHECK(settled() == Words{"a open at 2"});
  CHECK(events.state->holes.empty());
}

TEST_CASE_FIXTURE(Async, "durable engine: a clean stop leaves no holes") {
  open("a");
  open("b");
  publish("x", 0, {}, "a");
  publish("y", 0, {}, "b");
  server->settle();
  engine().close();
  server->settle();
  crash(hub::Durability::async);
  events.take();
  engine().subscribe("a");
  engine().subscribe("b");
  CHECK(settled() == Words{"a open at 1", "b open at 1"});
}

TEST_CASE_FIXTURE(
    Async, "durable engine: while the disk takes nothing messages are left out, and that is recorded") {
  open();
  publish("1");
  server->settle();
  events.take();
  store.take_types();
  store.set_state(store::State::full);
  publish("2", 2);
  publish("3", 3);
  CHECK(events.take() == Words{"a=2 2", "#2 2", "a=3 3", "#3 3"});
  CHECK(engine().stats().left_out == 2);
  CHECK(store.queued_bytes() == 0);
  engine().read("a", {epoch(), 0}, 10, 1'000, 1);
  CHECK(settled() == Words{"page 1: 1"});
  CHECK(events.page.holes == std::vector<hub::Hole>{{2, 3}});
  store.set_state(store::State::ok);
  publish("4", 4);
  CHECK(events.take() == Words{"a=4 4", "#4 4"});
  server->settle();
  CHECK(store.take_types() == "hole message");
  CHECK(store.is_sound);
  // Also where nothing follows.
  store.set_state(store::State::failed);
  publish("5", 5);
  store.set_state(store::State::ok);
  server->pass(11'001);
  server->pass(1'001);
  server->settle();
  CHECK(store.take_types() == "hole top");
  CHECK(store.is_sound);
}

TEST_CASE_FIXTURE(Async,
                  "durable engine: a room that is left gives back what it has reserved, as soon as it can") {
  open();
  publish("x");
  server->settle();
  store.set_state(store::State::failed);
  engine().unsubscribe("a");
  server->settle();
  CHECK(engine().rooms() == 1);
  store.set_state(store::State::ok);
  for (int i = 0; i < 12; ++i)
    server->pass(1'001);
  server->settle();
  CHECK(store.take_types() == "room ceiling message top");
  CHECK(engine().rooms() == 0);
}

TEST_CASE_FIXTURE(Async,
                  "durable engine: a page that has to contain what is not on the disk yet waits for it") {
  open();
  publish("1");
  server->settle();
  publish("2");
  engine().read("a", {epoch(), 1}, 10, 1'000, 1);
  CHECK(store.reads == 0);
  events.take();
  CHECK(settled() == Words{"page 1: 2"});
}

// --- Levels ---

TEST_CASE_FIXTURE(Async, "durable engine: sync and async change at once, in order") {
  open();
  publish("1");
  server->settle();
  events.take();
  engine().set_rules(test::rules_of(hub::Durability::sync));
  publish("2", 2);
  engine().set_rules(test::rules_of(hub::Durability::async));
  publish("3", 3);
  CHECK(events.take().empty());
  CHECK(settled() == Words{"a=2 2", "#2 2 durable", "a=3 3", "#3 3 durable"});
  CHECK(store.is_sound);
}

TEST_CASE_FIXTURE(Fixture, "durable engine: to none and back the log begins anew, and is the old one again") {
  open();
  publish("1", 1);
  const std::uint64_t on_disk = epoch();
  engine().set_rules(test::rules_of(hub::Durability::none));
  CHECK(settled() == Words{"a=1 1", "#1 1 durable", "a resumed at 0"});
  CHECK(epoch() != on_disk);
  publish("2", 2);
  CHECK(events.take() == Words{"a=1 2", "#2 1"});
  engine().set_rules(test::rules_of(hub::Durability::sync));
  CHECK(events.take() == Words{"a lost"});
  publish("3", 3);
  CHECK(settled() == Words{"a resumed at 1", "a=2 3", "#3 2 durable"});
  CHECK(epoch() == on_disk);
}

TEST_CASE("durable engine: a room that became durable and can't be loaded is tried again") {
  Fixture f(hub::Durability::none);
  f.engine().subscribe("a");
  f.store.refuses = true;
  f.engine().set_rules(test::rules_of(hub::Durability::sync));
  CHECK(f.settled() == Words{"a open at 0", "a lost"});
  f.store.refuses = false;
  f.server->pass(1'001);
  CHECK(f.settled() == Words{"a resumed at 0"});
}

// --- Keys ---

TEST_CASE_FIXTURE(Fixture, "durable engine: a key outlives a crash, five minutes long") {
  open();
  publish("x", 1, "k");
  server->settle();
  crash(hub::Durability::sync);
  open();
  publish("x", 2, "k");
  CHECK(events.take() == Words{"#2 1 durable again"});
  publish("y", 3, "k", "a", "fedcba9876543210");
  CHECK(events.take() == Words{"#3 key_reused"});
  server->pass(300'001);
  publish("z", 4, "k");
  CHECK(settled() == Words{"a=2 z", "#4 2 durable"});
}

TEST_CASE_FIXTURE(Fixture,
                  "durable engine: a publish that timed out is not published twice, whenever it commits") {
  open();
  publish("x", 1, "k");
  server->pass(5'100);
  CHECK(events.take() == Words{"#1 store_timeout"});
  publish("x", 2, "k");
  CHECK(events.take().empty());
  CHECK(settled() == Words{"a=1 x", "#2 1 durable again"});
  publish("x", 3, "k");
  CHECK(events.take() == Words{"#3 1 durable again"});
  CHECK(engine().stats().repeated == 2);
  CHECK(store.take_types() == "room message");
}

TEST_CASE_FIXTURE(Fixture, "durable engine: the store is told of rooms that are not in use any more") {
  open("a");
  open("b");
  publish("x");
  engine().unsubscribe("b");  // has no number
  engine().unsubscribe("a");
  CHECK(store.forgotten.empty());
  server->settle();
  CHECK(store.forgotten == std::vector<store::RoomId>{1});
  open("a");
  engine().set_rules(test::rules_of(hub::Durability::none));
  CHECK(store.forgotten == std::vector<store::RoomId>{1, 1});
}

TEST_CASE_FIXTURE(Fixture, "durable engine: keys that are over go from a room that always has some") {
  open();
  store.queue_bytes_max = std::size_t{4} << 20U;
  // The disk is slow, so that all of them stay for five minutes. There is space for those, but not for all.
  const std::string longest(200, 'k');
  int published = 0;
  for (int round = 0; round < 130; ++round) {
    for (int i = 0; i < 1'000; ++i)
      publish("x", 0, longest + std::to_string(++published));
    server->pass(6'000);
    server->settle();
    events.take();
  }
  CHECK(engine().stats().refused_busy == 0);
}

TEST_CASE_FIXTURE(Fixture, "durable engine: a publish that was refused leaves its key free") {
  open();
  store.set_state(store::State::full);
  publish("x", 1, "k");
  store.set_state(store::State::ok);
  publish("x", 2, "k");
  CHECK(settled() == Words{"#1 store_full", "a=1 x", "#2 1 durable"});
}

// --- Amendments ---

TEST_CASE_FIXTURE(Fixture, "durable engine: an amendment is announced when it is on the disk") {
  open();
  publish("1");
  publish("2");
  server->settle();
  events.take();
  engine().remove("a", {epoch(), 1}, 1);
  store.answer_reads();
  CHECK(events.take().empty());
  CHECK(settled() == Words{"a removed 1", "#1 1 durable"});
  engine().replace("a", {epoch(), 2}, {hub::Kind::text, base::Bytes::copy_of("two"), {}}, 2);
  CHECK(settled() == Words{"a replaced 2", "#2 2 durable"});
  engine().remove("a", {epoch(), 1}, 3);
  CHECK(settled() == Words{"#3 not_found"});
  crash(hub::Durability::sync);
  open();
  engine().read("a", {epoch(), 0}, 10, 1'000, 4);
  CHECK(settled() == Words{"page 4: - two"});
  engine().clear("a", 5);
  CHECK(settled() == Words{"a cleared 2", "#5 2 durable"});
  CHECK(store.is_sound);
}

TEST_CASE_FIXTURE(Fixture, "durable engine: amendments wait for the room to be loaded, among the publishes") {
  open();
  for (const char* word : {"1", "2", "3"})
    publish(word);
  server->settle();
  const std::uint64_t before = epoch();
  crash(hub::Durability::sync);
  events.take();
  engine().subscribe("a");
  engine().remove("a", {before, 1}, 1);
  engine().replace("a", {before, 2}, {hub::Kind::text, base::Bytes::copy_of("two"), {}}, 2);
  engine().remove("a", {before, 9}, 3);
  CHECK(events.take().empty());
  CHECK(settled() ==
        Words{"a open at 3", "#3 not_found", "a removed 1", "#1 1 durable", "a replaced 2", "#2 2 durable"});
  crash(hub::Durability::sync);
  events.take();
  engine().subscribe("a");
  publish("4", 4);
  engine().clear("a", 5);
  CHECK(settled() == Words{"a open at 3", "a=4 4", "#4 4 durable", "a cleared 4", "#5 4 durable"});
}

TEST_CASE_FIXTURE(Fixture, "durable engine: of two removals of one message the second finds nothing") {
  open();
  publish("1");
  server->settle();
  events.take();
  engine().remove("a", {epoch(), 1}, 1);
  engine().remove("a", {epoch(), 1}, 2);
  CHECK(settled() == Words{"#2 not_found", "a removed 1", "#1 1 durable"});
}

TEST_CASE_FIXTURE(Fixture, "durable engine: a page that was read before an amendment has it all the same") {
  open();
  publish("1");
  publish("2");
  server->settle();
  events.take();
  engine().remove("a", {epoch(), 1}, 1);
  store.answer_reads();
  engine().read("a", {epoch(), 0}, 10, 1'000, 2);
  const std::string before = store.on_disk("a").messages[1];
  store.commit();
  CHECK(events.take() == Words{"a removed 1", "#1 1 durable"});
  store.on_disk("a").messages[1] = before;
  store.answer_reads();
  CHECK(events.take() == Words{"page 2: - 2"});
}

TEST_CASE_FIXTURE(Async,
                  "durable engine: a message that was left out can be removed from those who have it") {
  open();
  publish("1");
  server->settle();
  store.set_state(store::State::full);
  publish("2");
  events.take();
  engine().remove("a", {epoch(), 2}, 1);
  CHECK(events.take() == Words{"a removed 2", "#1 2"});
  engine().remove("a", {epoch(), 1}, 2);
  CHECK(events.take() == Words{"#2 store_full"});
}

}  // namespace durable_test
