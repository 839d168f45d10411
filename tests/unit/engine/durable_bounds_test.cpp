// What the durable engine does in one call or one slice, however much there is.
#include <doctest/doctest.h>

#include <cstddef>
#include <string>

#include "unit/engine/durable_fixture.h"

namespace durable_bounds_test {

using namespace roomcast;
using test::Words;

namespace {

using Fixture = test::DurableFixture;

}  // namespace

TEST_CASE_FIXTURE(Fixture, "durable engine: what is on the disk is finished in slices") {
  store.queue_bytes_max = std::size_t{16} << 20U;
  open();
  constexpr std::size_t messages = 3'000;
  for (std::size_t i = 0; i < messages; ++i)
    publish("x", i + 1);
  store.commit();
  // Of each message it says two words.
  std::size_t said = events.take().size();
  std::size_t slices = 1;
  CHECK(said <= 1'024);
  for (; said < 2 * messages && slices < 100; ++slices) {
    server->scheduler.flush_deferred();
    const std::size_t more = events.take().size();
    CHECK(more <= 1'024);
    said += more;
  }
  CHECK(said == 2 * messages);
  CHECK(slices == 6);
}

TEST_CASE_FIXTURE(Fixture, "durable engine: what waits too long is answered in slices") {
  store.queue_bytes_max = std::size_t{16} << 20U;
  open();
  for (hub::Ticket ticket = 1; ticket <= 2'000; ++ticket)
    publish("x", ticket);
  server->pass(5'100);
  CHECK(events.take().size() == 512);
  std::size_t rest = 0;
  for (int i = 0; i < 4; ++i) {
    server->scheduler.flush_deferred();
    const std::size_t more = events.take().size();
    CHECK(more <= 512);
    rest += more;
  }
  CHECK(rest == 2'000 - 512);
  CHECK(engine().stats().timeouts == 2'000);
}

TEST_CASE_FIXTURE(Fixture,
                  "durable engine: rooms that are loaded at once have their publishes taken by turns") {
  constexpr std::size_t rooms = 60;
  constexpr std::size_t each = 100;
  for (std::size_t room = 0; room < rooms; ++room) {
    engine().subscribe("room " + std::to_string(room));
    for (std::size_t i = 0; i < each; ++i)
      publish("x", 0, {}, "room " + std::to_string(room));
  }
  store.answer_loads();
  std::size_t opened = events.take().size();
  CHECK(opened == 11);  // 101 each, until 1,024 are exceeded
  for (int i = 0; i < 5; ++i) {
    server->scheduler.flush_deferred();
    const std::size_t more = events.take().size();
    CHECK(more <= 11);
    opened += more;
  }
  CHECK(opened == rooms);
}

TEST_CASE("durable engine: many rooms that can't be loaded are tried again some at a time") {
  Fixture f(hub::Durability::none);
  constexpr int rooms = 2'000;
  for (int room = 0; room < rooms; ++room)
    f.engine().subscribe("room " + std::to_string(room));
  f.store.refuses = true;
  f.engine().set_rules(test::rules_of(hub::Durability::sync));
  f.server->settle();
  f.store.loads = 0;
  f.server->pass(1'001);
  CHECK(f.store.loads == 256);
  f.store.refuses = false;
  f.server->settle();
  // Each that is loaded has the next one tried.
  CHECK(f.store.loads == rooms);
  for (int room = 0; room < rooms; ++room)
    f.engine().unsubscribe("room " + std::to_string(room));
  CHECK(f.engine().rooms() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "durable engine: without a room number left new rooms are refused, others are not") {
  store.room_ids_max = 2;
  for (const std::string_view room : {"a", "b", "c"})
    open(room);
  publish("x", 1, {}, "a");
  publish("x", 2, {}, "b");
  publish("x", 3, {}, "c");
  CHECK(events.take() == Words{"#3 store_full"});
  publish("y", 4, {}, "b");
  CHECK(settled() == Words{"a=1 x", "#1 1 durable", "b=1 x", "#2 1 durable", "b=2 y", "#4 2 durable"});
  CHECK(store.is_sound);
}

TEST_CASE("durable engine: a room that went aside and gets no number holds up no other one") {
  Fixture f(hub::Durability::async);
  f.open("a");
  f.open("b");
  f.store.set_state(store::State::failed);
  f.publish("x", 0, {}, "a");
  f.publish("x", 0, {}, "b");
  f.events.take();
  f.store.room_ids_max = 0;
  f.store.set_state(store::State::ok);
  CHECK(f.settled() == Words{"a resumed at 0", "b resumed at 0"});
  f.publish("y", 1, {}, "a");
  CHECK(f.events.take() == Words{"#1 store_full"});
}

}  // namespace durable_bounds_test
