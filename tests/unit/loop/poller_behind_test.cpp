// Descriptors with Place::behind, see Poller.
#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "loop/poller.h"
#include "support/fake_micro_clock.h"
#include "unit/loop/poller_fixture.h"

namespace roomcast::loop::poller_behind_test {

using End = test::PolledEnd;
using Fixture = test::PollerFixture;
using Place = Poller::Place;

TEST_CASE("poller: however many stand behind, a turn calls a few of them, and those in front before them") {
  Fixture f(Poller::Limits{.events_per_turn = 8, .events_behind_per_turn = 2});
  std::vector<std::unique_ptr<End>> behind;
  std::vector<const End*> order;
  for (int i = 0; i < 20; ++i) {
    behind.push_back(std::make_unique<End>(f.poller, PollEvents{true, false}, Place::behind));
    behind.back()->then = [&order, self = behind.back().get()] { order.push_back(self); };
    behind.back()->send();
  }
  End in_front(f.poller);
  in_front.then = [&] { order.push_back(&in_front); };
  in_front.send();
  for (std::size_t turn = 1; turn <= 10; ++turn) {
    f.turn_once();
    CHECK(f.poller.is_busy());
    REQUIRE(order.size() == 3 * turn);
    CHECK(order[3 * turn - 3] == &in_front);
  }
  for (const auto& end : behind)
    CHECK(end->calls == 1);
}

TEST_CASE(
    "poller: the time box of those behind ends their part of a turn, and the next one goes on with them") {
  test::FakeMicroClock clock;
  Fixture f(clock, {.events_per_turn = 8, .events_behind_per_turn = 8, .time_box_behind_us = 500});
  std::vector<std::unique_ptr<End>> behind;
  for (int i = 0; i < 6; ++i) {
    behind.push_back(std::make_unique<End>(f.poller, PollEvents{true, false}, Place::behind));
    behind.back()->then = [&, self = behind.back().get()] {
      self->take();
      clock.us += 250;
    };
    behind.back()->send();
  }
  const auto called = [&] {
    int calls = 0;
    for (const auto& end : behind)
      calls += end->calls;
    return calls;
  };
  for (const int calls : {2, 4, 6}) {
    f.turn_once();
    CHECK(called() == calls);
  }
  f.run_idle_turns();
  CHECK(called() == 6);
  CHECK_FALSE(f.poller.is_busy());
}

TEST_CASE("poller: a moved descriptor is reported once in a round, for the events it wants now") {
  Fixture f;
  End end(f.poller, {true, true});
  end.watch({true, false});
  f.poller.move(end, Place::behind);
  CHECK(Poller::place_of(end) == Place::behind);
  f.run_idle_turns();
  CHECK(end.calls == 0);
  end.then = [&] {
    f.poller.move(end, Poller::place_of(end) == Place::behind ? Place::in_front : Place::behind);
  };
  end.send();
  for (int turn = 1; turn <= 6; ++turn) {
    const int before = end.calls;
    f.turn_once();
    CHECK(end.calls - before <= 2);  // behind, and no more in front in this turn
  }
  CHECK(end.calls >= 6);
  end.take();
  const int before = end.calls;
  f.run_idle_turns();
  CHECK(end.calls == before);
  f.poller.remove(end);
  end.send();
  f.run_idle_turns();
  CHECK(end.calls == before);
}

TEST_CASE("poller: a descriptor that is forgotten while it waits behind is not called") {
  test::FakeMicroClock clock;
  Fixture f(clock, {.time_box_us = 0, .events_behind_per_turn = 8, .time_box_behind_us = 0});
  std::vector<std::unique_ptr<End>> behind;
  int calls = 0;
  for (int i = 0; i < 4; ++i) {
    behind.push_back(std::make_unique<End>(f.poller, PollEvents{true, false}, Place::behind));
    behind.back()->then = [&] { ++calls; };
    behind.back()->send();
  }
  f.turn_once();
  CHECK(calls == 1);
  behind.clear();
  f.run_idle_turns();
  CHECK(calls == 1);
}

}  // namespace roomcast::loop::poller_behind_test
