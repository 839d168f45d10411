#include "loop/loop.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <csignal>
#include <functional>
#include <memory>

#include "loop/handles.h"
#include "loop/turn.h"
#include "support/loop_fixture.h"

namespace roomcast::loop::loop_test {

namespace {

struct OnTimer final : Timer::Listener {
  std::function<void(Timer&)> then;
  int calls = 0;
  void on_timer(Timer& timer) override {
    ++calls;
    if (then) then(timer);
  }
};

struct OnSignal final : Signal::Listener {
  Loop& loop;
  int number = 0;
  explicit OnSignal(Loop& l) : loop(l) {}
  void on_signal(int arrived) override {
    number = arrived;
    loop.stop();
  }
};

}  // namespace

TEST_CASE("loop: it closes clean with nothing on it and after running") {
  { const Loop unused; }
  Loop loop;
  loop.run();
  CHECK(loop.handle_count() == 0);
}

TEST_CASE("loop: a handle left open aborts the program") {
  const pid_t child = ::fork();
  if (child == 0) {
    (void)std::signal(SIGABRT, SIG_DFL);
    (void)::freopen("/dev/null", "w", stderr);
    auto* forgotten = new Handle<uv_timer_t>;
    {
      const Loop loop;
      *forgotten = std::move(*make_handle<uv_timer_t>(
          nullptr, [&](uv_timer_t* timer) { return uv_timer_init(loop.native(), timer); }));
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
}

TEST_CASE("loop: its clocks go forward and the wall clock knows the century") {
  Loop loop;
  const auto before = loop.monotonic_ms();
  loop.run_turn_without_waiting();
  CHECK(loop.monotonic_ms() >= before);
  CHECK(loop.wall_ms() > 1'600'000'000'000);
}

TEST_CASE("timer: once means once, and stopping takes it back") {
  Loop loop;
  OnTimer listener;
  OnTimer never;
  Timer once(loop, listener);
  Timer stopped(loop, never);
  stopped.start_once(0);
  once.start_once(1);
  CHECK(stopped.is_active());
  stopped.stop();
  loop.run();
  CHECK(listener.calls == 1);
  CHECK_FALSE(once.is_active());
  CHECK(never.calls == 0);
}

TEST_CASE("timer: repeating goes on until stopped from within") {
  Loop loop;
  OnTimer listener;
  listener.then = [&](Timer& timer) {
    if (listener.calls == 3) timer.stop();
  };
  Timer timer(loop, listener);
  timer.start_every(1);
  loop.run();
  CHECK(listener.calls == 3);
}

TEST_CASE("timer: it may be destroyed from within its own call") {
  Loop loop;
  OnTimer listener;
  auto timer = std::make_unique<Timer>(loop, listener);
  listener.then = [&](Timer&) { timer.reset(); };
  timer->start_every(1);
  loop.run();
  CHECK(listener.calls == 1);
  CHECK(loop.handle_count() == 0);
}

TEST_CASE("signal: it is reported from within the loop") {
  Loop loop;
  OnSignal listener(loop);
  const Signal signal(loop, SIGUSR1, listener);
  ::raise(SIGUSR1);
  loop.run();
  CHECK(listener.number == SIGUSR1);
}

TEST_CASE("turn: it flushes before the loop sleeps, and while work is left the loop does not sleep") {
  struct Busy final : base::TurnTask {
    Loop& loop;
    Turn& turn;
    int left = 30;
    Busy(Loop& l, Turn& t) : loop(l), turn(t) {}
    void run_at_turn_end() override {
      if (--left > 0) return turn.mark_dirty(*this);
      loop.stop();
    }
  };
  Loop loop;
  Turn turn(loop, 0);  // no time: work is left after every turn
  Busy busy(loop, turn);
  turn.mark_dirty(busy);
  loop.run();  // would sleep for ever, as nothing else wakes it
  CHECK(busy.left == 0);
  CHECK(turn.stats().count > 1);
}

TEST_CASE("turn: what a timer marks is flushed before the loop sleeps again") {
  struct Item final : base::TurnTask {
    int flushed = 0;
    void run_at_turn_end() override { ++flushed; }
  };
  Loop loop;
  Turn turn(loop, 2'000);
  Item item;
  OnTimer listener;
  Timer timer(loop, listener);
  listener.then = [&](Timer&) { turn.mark_dirty(item); };
  timer.start_once(1);
  while (listener.calls == 0)
    loop.run_turn();
  // libuv runs timers before or after the poll, depending on its version.
  if (item.flushed == 0) loop.run_turn_without_waiting();
  CHECK(item.flushed == 1);
}

TEST_CASE("turn: its durations are counted without the sleep") {
  Loop loop;
  Turn turn(loop, 2'000);
  OnTimer listener;
  Timer timer(loop, listener);
  timer.start_every(20);
  while (listener.calls < 3)
    loop.run_turn();
  loop.run_turn_without_waiting();
  const TurnStats& stats = turn.stats();
  CHECK(stats.count >= 3);
  std::uint64_t counted = 0;
  for (const auto bucket : stats.buckets)
    counted += bucket;
  CHECK(counted == stats.count);
  CHECK(stats.sum_us < 50'000);
}

TEST_CASE("turn stats: a duration falls into the first bucket that holds it") {
  TurnStats stats;
  stats.add(0);
  stats.add(50);
  stats.add(51);
  stats.add(100'000);
  stats.add(100'001);
  CHECK(stats.buckets[0] == 2);
  CHECK(stats.buckets[1] == 1);
  CHECK(stats.buckets[10] == 1);
  CHECK(stats.buckets[11] == 1);
  CHECK(stats.count == 5);
  CHECK(stats.sum_us == 200'102);
}

TEST_CASE("sweep: the loop calls deadlines when they are due") {
  struct Waiter final : base::Deadline::Listener {
    bool called = false;
    void on_deadline() override { called = true; }
  };
  test::LoopFixture fixture;
  Waiter waiter;
  base::Deadline deadline(fixture.deadlines, waiter);
  deadline.set_in(10);
  CHECK(fixture.run_until([&] { return waiter.called; }));
}

}  // namespace roomcast::loop::loop_test
