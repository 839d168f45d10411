#include "loop/poller.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "loop/handles.h"
#include "loop/turn.h"
#include "support/fake_micro_clock.h"
#include "unit/loop/poller_fixture.h"

namespace roomcast::loop::poller_test {

using End = test::PolledEnd;
using Fixture = test::PollerFixture;

TEST_CASE("poller: a ready descriptor is called in every turn until it is not, and no other is") {
  Fixture f;
  End ready(f.poller);
  End quiet(f.poller);
  f.turn_once();
  CHECK(ready.calls == 0);
  ready.send();
  f.turn_once();
  f.turn_once();
  CHECK(ready.calls == 2);
  CHECK(ready.last.readable);
  CHECK_FALSE(ready.last.writable);
  CHECK_FALSE(ready.last.failed);
  ready.take();
  f.run_idle_turns();
  CHECK(ready.calls == 2);
  CHECK(quiet.calls == 0);
}

TEST_CASE("poller: room to write is reported only where it is wanted") {
  Fixture f;
  End end(f.poller);
  f.run_idle_turns();
  CHECK(end.calls == 0);
  end.watch({true, true});
  f.turn_once();
  CHECK(end.calls == 1);
  CHECK(end.last.writable);
  CHECK_FALSE(end.last.readable);
  end.watch({true, false});
  f.run_idle_turns();
  CHECK(end.calls == 1);
}

TEST_CASE("poller: nothing is reported while nothing is wanted, and everything once it is again") {
  Fixture f;
  End end(f.poller, PollEvents{});
  end.send();
  f.run_idle_turns();
  end.hang_up();
  f.run_idle_turns();
  CHECK(end.calls == 0);
  end.watch({true, false});
  f.turn_once();
  CHECK(end.calls == 1);
  CHECK(end.last.readable);
}

TEST_CASE("poller: a hang-up is readable where reading is wanted, writable where writing is") {
  Fixture f;
  End reader(f.poller);
  End writer(f.poller, {false, true});
  reader.hang_up();
  writer.hang_up();
  f.turn_once();
  CHECK(reader.last.readable);
  CHECK_FALSE(reader.last.writable);
  CHECK(writer.last.writable);
  CHECK_FALSE(writer.last.readable);
}

TEST_CASE("poller: a hang-up does not keep the loop awake where nothing is wanted") {
  Loop loop;
  Turn turn(loop, 2'000);
  Poller poller(loop);
  End end(poller, PollEvents{});
  end.hang_up();
  struct Stop final : Timer::Listener {
    explicit Stop(Loop& l) : loop(l) {}
    void on_timer(Timer& /*timer*/) override { loop.stop(); }
    Loop& loop;
  } stop(loop);
  Timer timer(loop, stop);
  timer.start_once(20);
  loop.run();
  CHECK(end.calls == 0);
  CHECK(turn.stats().count < 10);
}

TEST_CASE("poller: one destroyed while others are called is not called, nor is its successor") {
  Fixture f;
  std::vector<std::unique_ptr<End>> ends;
  ends.reserve(3);
  for (int i = 0; i < 3; ++i)
    ends.push_back(std::make_unique<End>(f.poller));
  int calls = 0;
  for (auto& end : ends) {
    // The first one called destroys the others and creates new ones with the same descriptors.
    end->then = [&, self = end.get()] {
      ++calls;
      for (auto& other : ends) {
        if (other.get() == self) continue;
        other.reset();
        other = std::make_unique<End>(f.poller);
        other->then = [&calls] { ++calls; };
      }
    };
    end->send();
  }
  f.turn_once();
  CHECK(calls == 1);
}

TEST_CASE("poller: one that wants nothing any more while others are called is not called") {
  Fixture f;
  End first(f.poller);
  End second(f.poller);
  first.then = [&] { second.watch({}); };
  second.then = [&] { first.watch({}); };
  first.send();
  second.send();
  f.turn_once();
  CHECK(first.calls + second.calls == 1);
}

TEST_CASE("poller: one that is removed is not called, though another process holds the socket") {
  Fixture f;
  auto end = std::make_unique<End>(f.poller);
  const int copy = ::dup(end->near());
  int calls = 0;
  end->then = [&calls] { ++calls; };
  end->send();
  f.turn_once();
  CHECK(calls == 1);
  f.poller.remove(*end);
  f.run_idle_turns();
  CHECK(calls == 1);
  end.reset();
  f.run_idle_turns();
  CHECK(calls == 1);
  ::close(copy);
}

TEST_CASE("poller: timers and signals get their turn while a socket is ready without pause") {
  Fixture f;
  End busy(f.poller);
  busy.send();
  struct Heard final : Timer::Listener, Signal::Listener {
    explicit Heard(Loop& l) : timer(l, *this), signal(l, SIGUSR2, *this) {}
    void on_timer(Timer& /*timer*/) override { ::raise(SIGUSR2); }
    void on_signal(int /*number*/) override { done = true; }
    Timer timer;
    Signal signal;
    bool done = false;
  } heard(f.loop);
  heard.timer.start_once(5);
  while (!heard.done)
    f.loop.run_turn();
  CHECK(busy.calls > 1);
}

TEST_CASE("poller: readable and writable are reported in one call") {
  Fixture f;
  End end(f.poller, {true, true});
  end.send();
  end.hang_up();
  f.turn_once();
  CHECK(end.last.readable);
  CHECK(end.last.writable);
}

TEST_CASE("poller: what can't be watched is refused with the system's reason") {
  Fixture f;
  End end(f.poller);
  struct Nobody final : Pollable {
    explicit Nobody(int number) : number_(number) {}
    void on_ready(Readiness /*ready*/) override {}
    [[nodiscard]] int descriptor() const override { return number_; }
    int number_;
  };
  Nobody twice(end.near());
  Nobody closed(1'000'000);
  CHECK(f.poller.add(twice, {true, false}) == EEXIST);
  CHECK(f.poller.add(closed, {true, false}) == EBADF);
}

TEST_CASE("poller: a turn calls a limited number, and all before any is called again") {
  Fixture f(Poller::Limits{.events_per_turn = 4});
  std::vector<std::unique_ptr<End>> ends;
  int calls = 0;
  for (int i = 0; i < 12; ++i) {
    ends.push_back(std::make_unique<End>(f.poller));
    ends.back()->then = [&calls] { ++calls; };
    ends.back()->send();
  }
  for (int turn = 1; turn <= 3; ++turn) {
    f.loop.run_turn_without_waiting();
    CHECK(calls == 4 * turn);
  }
  for (const auto& end : ends)
    CHECK(end->calls == 1);
}

TEST_CASE("poller: the time box ends a turn early, and the next one goes on with those not called") {
  test::FakeMicroClock clock;
  Fixture f(clock, {.events_per_turn = 64, .time_box_us = 1'000});
  std::vector<std::unique_ptr<End>> ends;
  int calls = 0;
  for (int i = 0; i < 16; ++i) {
    ends.push_back(std::make_unique<End>(f.poller));
    ends.back()->then = [&] {
      ++calls;
      clock.us += 250;
    };
    ends.back()->send();
  }
  for (int turn = 1; turn <= 4; ++turn) {
    f.loop.run_turn_without_waiting();
    CHECK(calls == 4 * turn);
  }
  for (const auto& end : ends)
    CHECK(end->calls == 1);
}

TEST_CASE("poller: one forgotten while it waits for the next turn is not called in it") {
  test::FakeMicroClock clock;
  Fixture f(clock, {.events_per_turn = 64, .time_box_us = 0});
  std::vector<std::unique_ptr<End>> ends;
  int calls = 0;
  for (int i = 0; i < 8; ++i) {
    ends.push_back(std::make_unique<End>(f.poller));
    ends.back()->then = [&] { ++calls; };
    ends.back()->send();
  }
  f.loop.run_turn_without_waiting();
  const int called = calls;
  CHECK(called < 8);
  ends.clear();
  f.run_idle_turns();
  CHECK(calls == called);
}

TEST_CASE("poller: wanting less and then the same again changes nothing") {
  Fixture f;
  End end(f.poller);
  end.watch({});
  end.send();
  f.run_idle_turns();
  CHECK(end.calls == 0);
  end.watch({true, false});
  f.turn_once();
  CHECK(end.calls == 1);
  end.watch({});
  end.watch({true, false});
  f.turn_once();
  CHECK(end.calls == 2);
}

TEST_CASE("poller: events that are not wanted any more do not keep the loop awake") {
  Loop loop;
  Turn turn(loop, 2'000);
  Poller poller(loop);
  End end(poller);
  end.send();
  end.watch({});
  struct Stop final : Timer::Listener {
    explicit Stop(Loop& l) : loop(l) {}
    void on_timer(Timer& /*timer*/) override { loop.stop(); }
    Loop& loop;
  } stop(loop);
  Timer timer(loop, stop);
  timer.start_once(20);
  loop.run();
  CHECK(end.calls == 0);
  CHECK(turn.stats().count < 10);
}

}  // namespace roomcast::loop::poller_test
