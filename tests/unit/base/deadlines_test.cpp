#include "base/deadlines.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <vector>

#include "support/fake_clock.h"

namespace roomcast::base {

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

}  // namespace roomcast::base
