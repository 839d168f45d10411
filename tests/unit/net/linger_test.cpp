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
  static constexpr Linger::Limits limits{.connections = 2, .discard_bytes = 10, .timeout_ms = 1'000};
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

}  // namespace roomcast::net::linger_test
