#include "net/linger.h"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>

#include "loop/turn.h"
#include "support/fake_clock.h"
#include "support/fake_micro_clock.h"
#include "support/memory_stream.h"

namespace roomcast::net::linger_test {

namespace {

struct Fixture {
  static constexpr Linger::Limits limits{
      .connections = 2, .discard_bytes = 10, .timeout_ms = 1'000, .finished = 2, .finished_ms = 100};
  test::FakeClock clock;
  test::FakeMicroClock micro_clock;
  loop::TurnQueue turn{micro_clock, 1};
  base::Deadlines deadlines{clock, 100};
  AdmissionControl admissions{{100, 100}};
  std::deque<test::MemoryWire> wires;
  Linger linger{turn, deadlines, limits};

  test::MemoryWire& add(std::string_view owed, std::size_t room, bool ended = false) {
    auto& wire = wires.emplace_back();
    auto stream = wire.make_stream();
    wire.set_room(room);
    WriteQueue queue;
    queue.push(base::Bytes::copy_of(owed));
    Admission admission;
    CHECK(admissions.admit("192.0.2.1", false, admission) == ExceededLimit::none);
    linger.add(std::move(stream), std::move(queue), std::move(admission), ended);
    return wire;
  }
  test::MemoryWire& add_finished(bool may_be_unwatched = true) {
    auto& wire = wires.emplace_back();
    if (may_be_unwatched) wire.allow_unwatched();
    Admission admission;
    CHECK(admissions.admit("192.0.2.1", false, admission) == ExceededLimit::none);
    linger.add_finished(wire.make_stream(), std::move(admission));
    return wire;
  }
  void pass(std::int64_t ms) {
    clock.advance(ms);
    deadlines.sweep();
    end_turn();
  }
  void end_turn() {
    while (turn.run()) {
    }
  }
};

}  // namespace

TEST_CASE("linger: it sends the queue, then FIN, then waits for the peer's") {
  Fixture f;
  auto& wire = f.add("goodbye", 4);
  f.end_turn();
  CHECK(wire.received() == "good");
  CHECK_FALSE(wire.is_shut_down());
  wire.set_room(100);
  CHECK(wire.received() == "goodbye");
  CHECK(wire.is_shut_down());
  f.end_turn();
  CHECK(wire.is_open());
  wire.end();
  f.end_turn();
  CHECK_FALSE(wire.is_open());
  CHECK(f.linger.size() == 0);
  CHECK(f.admissions.connections() == 0);
}

TEST_CASE("linger: a peer that has finished already is waited for no longer than the sending takes") {
  Fixture f;
  SUBCASE("before it was added") {
    auto& wire = f.add("goodbye", 100, true);
    f.end_turn();
    CHECK_FALSE(wire.is_open());
    CHECK(wire.received() == "goodbye");
  }
  SUBCASE("while it was sent to") {
    auto& wire = f.add("goodbye", 4);
    wire.end();
    f.end_turn();
    CHECK(wire.is_open());
    wire.set_room(100);
    f.end_turn();
    CHECK_FALSE(wire.is_open());
    CHECK(wire.received() == "goodbye");
  }
}

TEST_CASE("linger: what the peer sends is discarded, up to the limit and not one byte more") {
  Fixture f;
  auto& wire = f.add("", 100);
  CHECK(wire.is_shut_down());
  wire.send("12345");
  wire.send("67890");
  f.end_turn();
  CHECK(wire.is_open());
  wire.send("!");
  f.end_turn();
  CHECK_FALSE(wire.is_open());
}

TEST_CASE("linger: the deadline closes a peer that does not read or does not end") {
  Fixture f;
  auto& stuck = f.add("goodbye", 0);
  auto& silent = f.add("", 100);
  f.clock.advance(999);
  f.deadlines.sweep();
  f.end_turn();
  CHECK(f.linger.size() == 2);
  f.clock.advance(1);
  f.deadlines.sweep();
  f.end_turn();
  CHECK(f.linger.size() == 0);
  CHECK_FALSE(stuck.is_open());
  CHECK_FALSE(silent.is_open());
}

TEST_CASE("linger: an error closes at once") {
  Fixture f;
  auto& wire = f.add("goodbye", 0);
  wire.fail("reset");
  f.end_turn();
  CHECK_FALSE(wire.is_open());
  CHECK(f.linger.size() == 0);
}

TEST_CASE("linger: past its limit the one that has waited longest goes first") {
  Fixture f;
  auto& first = f.add("", 100);
  auto& second = f.add("", 100);
  auto& third = f.add("", 100);
  f.end_turn();
  CHECK_FALSE(first.is_open());
  CHECK(second.is_open());
  CHECK(third.is_open());
  CHECK(f.linger.size() == 2);
}

TEST_CASE("linger: of a finished peer nothing is heard, and its connection is closed a little later") {
  Fixture f;
  auto& first = f.add_finished();
  CHECK(first.is_shut_down());
  CHECK(f.admissions.connections() == 0);
  f.pass(60);
  auto& second = f.add_finished();
  first.send(std::string(f.limits.discard_bytes + 1, 'x'));
  first.end();
  f.pass(40);
  CHECK(first.is_open());  // those that came after the last look have the same time
  f.pass(99);
  CHECK(first.is_open());
  CHECK(second.is_open());
  f.pass(1);
  CHECK_FALSE(first.is_open());
  CHECK_FALSE(second.is_open());
}

TEST_CASE("linger: past their limit the oldest finished connection is closed, and no other") {
  Fixture f;
  auto& waits = f.add("", 100);
  auto& first = f.add_finished();
  auto& second = f.add_finished();
  f.pass(100);
  auto& third = f.add_finished();
  CHECK_FALSE(first.is_open());
  CHECK(second.is_open());
  f.pass(100);
  CHECK_FALSE(second.is_open());
  CHECK(third.is_open());
  CHECK(waits.is_open());
  f.pass(100);
  CHECK_FALSE(third.is_open());
}

TEST_CASE("linger: a finished peer whose stream must be watched is waited for like any other") {
  Fixture f;
  auto& wire = f.add_finished(false);
  CHECK(wire.is_shut_down());
  CHECK(f.admissions.connections() == 1);
  wire.end();
  f.end_turn();
  CHECK_FALSE(wire.is_open());
  CHECK(f.admissions.connections() == 0);
}

}  // namespace roomcast::net::linger_test
