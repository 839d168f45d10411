#include "base/deadlines.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <vector>

#include "support/fake_clock.h"

namespace roomcast::base::deadlines_test {

namespace {

constexpr std::int64_t interval_ms = 100;

struct Waiter final : Deadline::Listener {
  explicit Waiter(Deadlines& deadlines) : deadline(std::make_unique<Deadline>(deadlines, *this)) {}
  void on_deadline() override {
    ++calls;
    if (then) then();
  }
  int calls = 0;
  std::function<void()> then;
  std::unique_ptr<Deadline> deadline;
};

}  // namespace

TEST_CASE("deadlines: called at the first sweep at or after the time, not before, and once") {
  test::FakeClock clock;
  Deadlines deadlines(clock, interval_ms);
  Waiter waiter(deadlines);
  waiter.deadline->set_in(250);
  CHECK(waiter.deadline->is_set());
  clock.advance(249);
  deadlines.sweep();
  CHECK(waiter.calls == 0);
  clock.advance(1);
  deadlines.sweep();
  CHECK(waiter.calls == 1);
  CHECK_FALSE(waiter.deadline->is_set());
  clock.advance(1'000);
  deadlines.sweep();
  CHECK(waiter.calls == 1);
}

TEST_CASE("deadlines: late by no more than the interval, whenever the sweeps fall") {
  for (std::int64_t phase = 0; phase < interval_ms; ++phase) {
    test::FakeClock clock;
    Deadlines deadlines(clock, interval_ms);
    Waiter waiter(deadlines);
    clock.advance(phase);
    waiter.deadline->set_in(1'000);
    const std::int64_t due_ms = clock.now_ms + 1'000;
    clock.advance(interval_ms - phase);
    while (waiter.calls == 0 && clock.now_ms < due_ms + 10 * interval_ms) {
      clock.advance(interval_ms);
      deadlines.sweep();
    }
    CHECK(clock.now_ms >= due_ms);
    CHECK(clock.now_ms <= due_ms + interval_ms);
  }
}

TEST_CASE("deadlines: setting again moves it, clearing takes it back") {
  test::FakeClock clock;
  Deadlines deadlines(clock, interval_ms);
  Waiter moved(deadlines);
  Waiter cleared(deadlines);
  moved.deadline->set_in(100);
  cleared.deadline->set_in(100);
  moved.deadline->set_in(300);
  cleared.deadline->clear();
  clock.advance(200);
  deadlines.sweep();
  CHECK(moved.calls == 0);
  clock.advance(100);
  deadlines.sweep();
  CHECK(moved.calls == 1);
  CHECK(cleared.calls == 0);
}

TEST_CASE("deadlines: a destroyed one is never called, and its slot serves the next") {
  test::FakeClock clock;
  Deadlines deadlines(clock, interval_ms);
  Waiter gone(deadlines);
  gone.deadline->set_in(100);
  gone.deadline.reset();
  Waiter next(deadlines);
  CHECK_FALSE(next.deadline->is_set());
  clock.advance(200);
  deadlines.sweep();
  CHECK(gone.calls == 0);
  CHECK(next.calls == 0);
}

TEST_CASE("deadlines: a listener may set its own again, and destroy and create others") {
  test::FakeClock clock;
  Deadlines deadlines(clock, interval_ms);
  Waiter first(deadlines);
  Waiter second(deadlines);
  std::vector<std::unique_ptr<Waiter>> more;
  first.deadline->set_in(100);
  second.deadline->set_in(100);
  first.then = [&] {
    second.deadline.reset();
    for (int i = 0; i < 100; ++i) {
      more.push_back(std::make_unique<Waiter>(deadlines));
      more.back()->deadline->set_in(50);
    }
    first.deadline->set_in(100);
  };
  clock.advance(100);
  deadlines.sweep();
  CHECK(first.calls == 1);
  CHECK(second.calls == 0);
  CHECK(first.deadline->is_set());
  first.then = [&] { first.deadline.reset(); };
  clock.advance(100);
  deadlines.sweep();
  CHECK(first.calls == 2);
  for (const auto& waiter : more)
    CHECK(waiter->calls == 1);
}

TEST_CASE("deadlines: time in which the process did not run does not count") {
  test::FakeClock clock;
  Deadlines deadlines(clock, interval_ms);
  Waiter soon(deadlines);
  Waiter later(deadlines);
  Waiter unset(deadlines);
  deadlines.tick();
  soon.deadline->set_in(10);
  later.deadline->set_in(5'000);
  clock.advance(4'000);
  deadlines.tick();
  CHECK(soon.calls == 0);  // all available input is read first
  clock.advance(Deadlines::grace_ms - 1);
  deadlines.sweep();
  CHECK(soon.calls == 0);
  clock.advance(1);
  deadlines.sweep();
  CHECK(soon.calls == 1);
  // Of the four seconds only as much counted as a slow loop takes.
  clock.advance(5'000 - Deadlines::counted_max_ms - Deadlines::grace_ms - 1);
  deadlines.sweep();
  CHECK(later.calls == 0);
  clock.advance(1);
  deadlines.sweep();
  CHECK(later.calls == 1);
  CHECK_FALSE(unset.deadline->is_set());
}

TEST_CASE("deadlines: a pause of an hour moves what was set before it, and not what is set right after it") {
  test::FakeClock clock;
  Deadlines deadlines(clock, interval_ms);
  Waiter before(deadlines);
  Waiter after(deadlines);
  deadlines.tick();
  before.deadline->set_in(10'000);
  clock.advance(3'600'000);
  after.deadline->set_in(10'000);  // in the turn in which the process continues, before the tick
  deadlines.tick();
  clock.advance(10'000 - Deadlines::counted_max_ms);
  deadlines.sweep();
  CHECK(before.calls == 1);
  CHECK(after.calls == 0);
  clock.advance(Deadlines::counted_max_ms);
  deadlines.sweep();
  CHECK(after.calls == 1);
}

TEST_CASE("deadlines: ticks that come a little late are no pause") {
  test::FakeClock clock;
  Deadlines deadlines(clock, interval_ms);
  Waiter waiter(deadlines);
  deadlines.tick();
  waiter.deadline->set_in(Deadlines::counted_max_ms);
  clock.advance(Deadlines::counted_max_ms);
  deadlines.tick();
  CHECK(waiter.calls == 1);
}

TEST_CASE("deadlines: a loop that is slow all the time does not put them off for ever") {
  for (const std::int64_t turn_ms :
       {Deadlines::counted_max_ms + 1, std::int64_t{2'000}, std::int64_t{60'000}}) {
    CAPTURE(turn_ms);
    test::FakeClock clock;
    Deadlines deadlines(clock, interval_ms);
    Waiter waiter(deadlines);
    deadlines.tick();
    waiter.deadline->set_in(10'000);
    int ticks = 0;
    for (; waiter.calls == 0 && ticks < 100; ++ticks) {
      clock.advance(turn_ms);
      deadlines.tick();
    }
    CHECK(ticks <= 10'000 / Deadlines::counted_max_ms + 2);
  }
}

TEST_CASE("deadlines: of very many that are due, some are called in each sweep, and all in the end") {
  test::FakeClock clock;
  Deadlines deadlines(clock, interval_ms);
  std::vector<std::unique_ptr<Waiter>> waiters;
  int calls = 0;
  for (std::size_t i = 0; i < 4 * Deadlines::calls_max + 10; ++i) {
    waiters.push_back(std::make_unique<Waiter>(deadlines));
    waiters.back()->deadline->set_in(100);
    waiters.back()->then = [&] { ++calls; };
  }
  // Due again immediately each time: the others are called nevertheless.
  waiters[0]->then = [&] { waiters[0]->deadline->set_in(0); };
  clock.advance(100);
  CHECK(deadlines.sweep());
  CHECK(calls <= static_cast<int>(Deadlines::calls_max));
  for (int sweeps = 0; sweeps < 5; ++sweeps)
    deadlines.sweep();
  for (const auto& waiter : waiters)
    CHECK(waiter->calls >= 1);
  waiters[0]->deadline->clear();
  CHECK_FALSE(deadlines.sweep());
}

}  // namespace roomcast::base::deadlines_test
