// Async rooms of the durable engine that have nothing reserved while the disk is away.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "unit/engine/durable_fixture.h"

namespace durable_aside_test {

using namespace roomcast;
using test::Words;

namespace {

struct Async : test::DurableFixture {
  Async() : DurableFixture(hub::Durability::async) {}
};

}  // namespace

TEST_CASE_FIXTURE(
    Async,
    "durable engine: without reserved offsets a room goes aside while the disk is full, and comes back") {
  open();
  publish("1");
  server->settle();
  server->pass(11'001);
  server->pass(1'001);
  server->settle();
  events.take();
  store.take_types();
  const std::uint64_t on_disk = epoch();
  store.set_state(store::State::full);
  publish("x", 1);
  CHECK(events.take() == Words{"a resumed at 0", "a=1 x", "#1 1"});
  const std::uint64_t aside = epoch();
  CHECK(aside != on_disk);
  CHECK(events.state->floor == hub::LogState::no_past);
  publish("y", 2);
  server->pass(1'001);
  CHECK(settled() == Words{"a=2 y", "#2 2"});
  CHECK(engine().stats().left_out == 2);
  CHECK(store.take_types().empty());
  // It comes back when the disk has shown that it is there, and has what it had.
  store.set_state(store::State::ok);
  publish("z", 3);
  store.begin_commit();
  publish("z", 4);
  CHECK(events.take() == Words{"a=3 z", "#3 3", "a=4 z", "#4 4"});
  CHECK(settled() == Words{"a resumed at 1"});
  CHECK(epoch() == on_disk);
  CHECK(events.state->holes.empty());
  CHECK(store.take_types() == "ceiling");
  // With offsets reserved, so that the next failure needs no other log.
  store.set_state(store::State::failed);
  publish("2", 5);
  CHECK(events.take() == Words{"a=2 2", "#5 2"});
  CHECK(store.is_sound);
}

TEST_CASE_FIXTURE(Async, "durable engine: a room goes aside again with another epoch") {
  open();
  std::vector<std::uint64_t> epochs;
  for (int i = 0; i < 2; ++i) {
    store.set_state(store::State::failed);
    publish("x", 1);
    CHECK(events.take().back() == "#1 1");
    epochs.push_back(epoch());
    store.set_state(store::State::ok);
    server->settle();
    server->pass(11'001);
    server->pass(1'001);
    server->settle();
    CHECK(events.take() == Words{"a resumed at 0"});
    epochs.push_back(epoch());
  }
  CHECK(epochs[0] != epochs[1]);
  CHECK(epochs[0] != epochs[2]);
  CHECK(epochs[1] == epochs[3]);
}

TEST_CASE_FIXTURE(Async, "durable engine: a disk that does not answer has a room go aside, too") {
  open();
  publish("waits", 1);
  server->pass(1'000);
  publish("waits too", 2);
  CHECK(events.take().empty());
  server->pass(1'000);
  publish("x", 3);
  CHECK(events.take() == Words{"a resumed at 0", "a=1 x", "#3 1"});
  server->pass(3'100);
  CHECK(events.take() == Words{"#1 store_timeout"});
  CHECK(settled() == Words{"a resumed at 0", "a=1 waits", "a=2 waits too", "#2 2 durable"});
  CHECK(store.is_sound);
}

TEST_CASE_FIXTURE(Async,
                  "durable engine: a full queue of a disk that answers refuses, and no room goes aside") {
  open();
  store.queue_bytes_max = 2'000;
  publish(std::string(1'500, 'x'), 1);
  publish(std::string(1'500, 'x'), 2);
  CHECK(events.take() == Words{"#2 store_busy"});
}

TEST_CASE_FIXTURE(Async, "durable engine: amendments of a room that is aside are of the log they are for") {
  open();
  publish("1");
  server->settle();
  server->pass(11'001);
  server->pass(1'001);
  server->settle();
  const std::uint64_t on_disk = epoch();
  store.set_state(store::State::failed);
  publish("x");
  events.take();
  engine().remove("a", {on_disk, 1}, 1);
  engine().clear("a", 2);
  CHECK(events.take() == Words{"#1 store_failed", "#2 store_failed"});
  engine().remove("a", {epoch(), 1}, 3);
  engine().remove("a", {epoch(), 2}, 4);
  CHECK(events.take() == Words{"a removed 1", "#3 1", "#4 not_found"});
  // Between the recovery and the return, too.
  store.set_state(store::State::ok);
  engine().clear("a", 5);
  CHECK(settled() == Words{"a resumed at 1", "a cleared 1", "#5 1 durable"});
}

TEST_CASE_FIXTURE(Async,
                  "durable engine: a room that is aside and is left, or made sync, is the old one again") {
  open();
  store.set_state(store::State::failed);
  publish("x");
  engine().unsubscribe("a");
  CHECK(engine().rooms() == 0);
  engine().subscribe("a");
  events.take();
  CHECK(settled() == Words{"a open at 0"});
  const std::uint64_t on_disk = epoch();
  publish("x");
  events.take();
  engine().set_rules(test::rules_of(hub::Durability::sync));
  publish("y", 1);
  CHECK(events.take() == Words{"a resumed at 0", "#1 store_failed"});
  CHECK(epoch() == on_disk);
  engine().set_rules(test::rules_of(hub::Durability::async));
  publish("x");
  engine().set_rules(test::rules_of(hub::Durability::none));
  publish("z", 2);
  CHECK(events.take() ==
        Words{"a resumed at 0", "a=1 x", "a resumed at 0", "a resumed at 0", "a=1 z", "#2 1"});
  CHECK(epoch() != on_disk);
}

}  // namespace durable_aside_test
