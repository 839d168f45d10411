#include "scenario/assembly.h"

#include <doctest/doctest.h>

#include <stdexcept>

namespace roomcast::bench::assembly_test {
namespace {

void open_all(Assembly& assembly) {
  for (std::size_t i = 0; i < assembly.subscribers(); ++i)
    assembly.on_open(i);
}

Stamp stamp(std::uint16_t publisher, std::uint32_t number) { return {publisher, number, 0}; }

}  // namespace

TEST_CASE("subscribers are divided evenly over the rooms, and the first of each publish") {
  const Assembly assembly(11, 3, 2);
  CHECK(assembly.publishers() == 6);
  std::size_t last = 0;
  std::size_t sizes[3] = {};
  for (std::size_t i = 0; i < 11; ++i) {
    const std::size_t room = assembly.room_of_subscriber(i);
    CHECK(room >= last);
    last = room;
    ++sizes[room];
  }
  for (const std::size_t size : sizes)
    CHECK((size == 3 || size == 4));
  for (std::size_t publisher = 0; publisher < 6; ++publisher) {
    const std::size_t subscriber = assembly.subscriber_of(publisher);
    CHECK(assembly.room_of_subscriber(subscriber) == assembly.room_of_publisher(publisher));
    const bool is_first = subscriber == 0 || assembly.room_of_subscriber(subscriber - 1) !=
                                                 assembly.room_of_subscriber(subscriber);
    CHECK(is_first == (publisher % 2 == 0));
  }
}

TEST_CASE("a room needs as many subscribers as publishers, and a stamp has room for 65536 publishers") {
  CHECK_THROWS_AS(Assembly(10, 0, 1), std::invalid_argument);
  CHECK_THROWS_AS(Assembly(10, 11, 1), std::invalid_argument);
  CHECK_THROWS_AS(Assembly(10, 5, 3), std::invalid_argument);
  CHECK_THROWS_AS(Assembly(10, 1, 0), std::invalid_argument);
  CHECK_NOTHROW(Assembly(10, 5, 2));
  CHECK_NOTHROW(Assembly(65536, 65536, 1));
  CHECK_THROWS_AS(Assembly(65537, 65537, 1), std::invalid_argument);
}

TEST_CASE("everybody who is open is owed what was sent to their room, until it has come") {
  Assembly assembly(4, 2, 1);
  open_all(assembly);
  assembly.on_sent(1, 2);
  CHECK(assembly.owed_in(0) == 0);
  CHECK(assembly.owed_in(1) == 4);
  CHECK(assembly.owed() == 4);
  CHECK(assembly.on_message(2, stamp(1, 0)));
  CHECK(assembly.on_message(2, stamp(1, 1)));
  CHECK(assembly.on_message(3, stamp(1, 0)));
  CHECK(assembly.owed() == 1);
  CHECK(assembly.faults().lost == 1);
  CHECK(assembly.on_message(3, stamp(1, 1)));
  CHECK(assembly.owed_in(1) == 0);
  CHECK(assembly.deliveries() == 4);
  CHECK(assembly.faults().none());
}

TEST_CASE("what is jumped over is lost, and nobody waits for it") {
  Assembly assembly(1, 1, 1);
  open_all(assembly);
  assembly.on_sent(0, 3);
  CHECK(assembly.on_message(0, stamp(0, 2)));
  CHECK(assembly.owed() == 0);
  CHECK(assembly.deliveries() == 1);
  CHECK(assembly.faults().lost == 2);
}

TEST_CASE("what comes again is repeated, and no delivery") {
  Assembly assembly(1, 1, 1);
  open_all(assembly);
  assembly.on_sent(0, 2);
  CHECK(assembly.on_message(0, stamp(0, 0)));
  CHECK_FALSE(assembly.on_message(0, stamp(0, 0)));
  CHECK(assembly.deliveries() == 1);
  CHECK(assembly.owed() == 1);
  CHECK(assembly.faults().repeated == 1);
}

TEST_CASE("what was not sent to this room, or not sent at all, is of no load of ours") {
  Assembly assembly(4, 2, 1);
  open_all(assembly);
  assembly.on_sent(0, 1);
  assembly.on_sent(1, 1);
  CHECK_FALSE(assembly.on_message(0, stamp(1, 0)));
  CHECK_FALSE(assembly.on_message(2, stamp(0, 0)));
  CHECK_FALSE(assembly.on_message(0, stamp(0, 1)));
  CHECK_FALSE(assembly.on_message(0, std::nullopt));
  CHECK(assembly.faults().unstamped == 4);
  CHECK(assembly.owed() == 4);
}

TEST_CASE("what is owed to somebody who is gone is lost, but not waited for") {
  Assembly assembly(2, 1, 2);
  open_all(assembly);
  assembly.on_sent(0, 2);
  assembly.on_sent(1, 1);
  CHECK(assembly.on_message(0, stamp(0, 0)));
  CHECK(assembly.owed() == 5);
  assembly.on_closed(0);
  CHECK(assembly.owed() == 3);
  assembly.on_closed(0);
  assembly.on_sent(0, 1);
  CHECK(assembly.owed() == 4);
  CHECK(assembly.faults().lost == 7);
}

}  // namespace roomcast::bench::assembly_test
