#include "app/reload_pace.h"

#include <doctest/doctest.h>

#include <cstdint>

#include "support/fake_micro_clock.h"
#include "support/loop_fixture.h"

namespace roomcast::app::reload_pace_test {

namespace {

struct Reloads final : ReloadPace::Listener {
  int count = 0;
  std::int64_t takes_us = 0;
  test::FakeMicroClock* clock = nullptr;
  ReloadPace* pace = nullptr;  // asked again meanwhile

  void on_reload_due() override {
    ++count;
    clock->us += takes_us;
    if (pace != nullptr) pace->ask();
  }
};

/// Its clock stands still unless it is moved: a pause is as long as the loop makes it, or none.
struct Paced {
  test::LoopFixture f;
  test::FakeMicroClock clock;
  Reloads reloads;
  ReloadPace pace{f.loop, clock, reloads};

  Paced() { reloads.clock = &clock; }
  void ask(int times = 1) {
    for (int i = 0; i < times; ++i)
      pace.ask();
  }
  /// What is due at once has been done.
  int count() {
    f.run_idle_turns();
    return reloads.count;
  }
};

constexpr std::int64_t pause_us = ReloadPace::least_pause_ms * 1000;

}  // namespace

TEST_CASE("reload pace: many requests at once lead to one reload, never from within the request") {
  Paced paced;
  paced.ask(400);
  CHECK(paced.reloads.count == 0);
  CHECK(paced.count() == 1);
}

TEST_CASE(
    "reload pace: a request within the pause leads to a reload after it, a later one to a reload at once") {
  Paced paced;
  paced.ask();
  CHECK(paced.count() == 1);
  paced.clock.us += pause_us;
  paced.ask();
  CHECK(paced.count() == 2);
  paced.clock.us += pause_us / 2;
  paced.ask(400);
  CHECK(paced.count() == 2);
  CHECK(paced.f.run_until([&] { return paced.reloads.count == 3; }));
  CHECK(paced.count() == 3);
}

TEST_CASE("reload pace: behind a long reload the pause is ten times as long") {
  Paced paced;
  paced.reloads.takes_us = pause_us;
  paced.ask();
  CHECK(paced.count() == 1);
  paced.clock.us += 10 * pause_us - pause_us / 2;
  paced.ask();
  CHECK(paced.count() == 1);
  CHECK(paced.f.run_until([&] { return paced.reloads.count == 2; }));
  paced.clock.us += 10 * pause_us;
  paced.ask();
  CHECK(paced.count() == 3);
}

TEST_CASE("reload pace: a request during a reload leads to another one") {
  Paced paced;
  paced.reloads.pace = &paced.pace;
  paced.ask();
  CHECK(paced.f.run_until([&] { return paced.reloads.count == 2; }));
}

TEST_CASE("reload pace: once it is stopped nothing more is done") {
  Paced paced;
  paced.ask();
  paced.pace.stop();
  CHECK(paced.count() == 0);
  paced.ask();
  CHECK(paced.count() == 0);
}

}  // namespace roomcast::app::reload_pace_test
