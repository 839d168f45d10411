// Tokens with unknown keys: what they cause, and how they wait for it.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "unit/auth/jwks_fixture.h"

namespace roomcast::auth::jwks_waiters_test {

using test::JwksWaiter;

namespace {

constexpr std::int64_t minute_ms = 60'000;

struct Fixture : test::JwksFixture {
  bool request(JwksWaiter& waiter) { return keys->source().request_refresh(waiter.waiter); }
  /// A source that has its first set.
  void start_with_keys() {
    start();
    REQUIRE(wait_for(1));
    document = "two";
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "jwks waiters: an unknown key causes a fetch, and is looked up in the new set") {
  start_with_keys();
  JwksWaiter waiter(*this);
  std::string found;
  waiter.then = [&] { found = current(); };
  REQUIRE(request(waiter));
  CHECK(waiter.waiter.is_waiting());
  REQUIRE(run_until([&] { return waiter.calls > 0; }));
  CHECK(found == "two");
  CHECK_FALSE(waiter.waiter.is_waiting());
  run_idle_turns();
  CHECK(waiter.calls == 1);
}

TEST_CASE_FIXTURE(Fixture, "jwks waiters: a hundred unknown keys in a minute cause one fetch") {
  start_with_keys();
  std::vector<std::unique_ptr<JwksWaiter>> waiters;
  int answered_at_once = 0;
  for (int i = 0; i < 100; ++i) {
    waiters.push_back(std::make_unique<JwksWaiter>(*this));
    if (!request(*waiters.back())) ++answered_at_once;
    if (i == 9) REQUIRE(wait_for(2));  // ten wait for the same fetch
    pass(590);
  }
  CHECK(answered_at_once == 90);
  CHECK(fetches() == 2);
  CHECK(stats().refreshed == 2);
  // The minute is over 60 s after the request that caused the fetch.
  JwksWaiter late(*this);
  pass(minute_ms - 100 * 590 - 1);
  CHECK_FALSE(request(late));
  pass(1);
  CHECK(request(late));
  REQUIRE(run_until([&] { return late.calls == 1; }));
  CHECK(fetches() == 3);
}

TEST_CASE_FIXTURE(Fixture, "jwks waiters: a fetch that is under way is waited for, whatever caused it") {
  is_silent = true;
  start();
  JwksWaiter first(*this);
  REQUIRE(request(first));
  REQUIRE(run_until([&] { return fetches() == 1; }));
  JwksWaiter second(*this);
  REQUIRE(request(second));
  server.connection(0).respond(200, "", "one");
  REQUIRE(run_until([&] { return first.calls == 1 && second.calls == 1; }));
  CHECK(current() == "one");
  // Neither has caused a fetch, so one may.
  is_silent = false;
  REQUIRE(request(first));
  REQUIRE(run_until([&] { return first.calls == 2; }));
  CHECK(fetches() == 2);
}

TEST_CASE_FIXTURE(Fixture, "jwks waiters: a fetch that fails answers them too") {
  start_with_keys();
  status = 500;
  JwksWaiter waiter(*this);
  REQUIRE(request(waiter));
  REQUIRE(run_until([&] { return waiter.calls == 1; }));
  CHECK(current() == "one");
  CHECK_FALSE(request(waiter));
}

TEST_CASE_FIXTURE(Fixture, "jwks waiters: each has a deadline") {
  is_silent = true;
  start();
  JwksWaiter first(*this);
  JwksWaiter second(*this);
  REQUIRE(request(first));
  pass(2'000);
  REQUIRE(request(second));
  pass(options.wait_ms - 2'000 - 250);
  CHECK(first.calls == 0);
  pass(500);
  CHECK(first.calls == 1);
  CHECK(second.calls == 0);
  pass(2'000);
  CHECK(second.calls == 1);
  CHECK(stats().waiting == 0);
}

TEST_CASE_FIXTURE(Fixture, "jwks waiters: a thousand at a time, and not one more") {
  is_silent = true;
  start();
  std::vector<std::unique_ptr<JwksWaiter>> waiters;
  for (std::size_t i = 0; i < 1'000; ++i) {
    waiters.push_back(std::make_unique<JwksWaiter>(*this));
    REQUIRE(request(*waiters.back()));
  }
  JwksWaiter beyond(*this);
  CHECK_FALSE(request(beyond));
  CHECK(stats().waiting == 1'000);
  waiters.pop_back();
  CHECK(stats().waiting == 999);
  CHECK(request(beyond));
  REQUIRE(run_until([&] { return fetches() == 1; }));
  server.connection(0).respond(200, "", "one");
  REQUIRE(run_until([&] { return beyond.calls == 1; }));
  for (const auto& waiter : waiters)
    CHECK(waiter->calls == 1);
  CHECK(stats().waiting == 0);
}

TEST_CASE_FIXTURE(Fixture, "jwks waiters: a few are called at a time") {
  start_with_keys();
  std::vector<std::unique_ptr<JwksWaiter>> waiters;
  int calls = 0;
  int most_in_a_slice = 0;
  for (int i = 0; i < 100; ++i) {
    waiters.push_back(std::make_unique<JwksWaiter>(*this));
    waiters.back()->then = [&] { ++calls; };
    REQUIRE(request(*waiters.back()));
  }
  // Runs between two slices.
  struct Between final : base::TurnTask {
    base::Scheduler& scheduler;
    const int& calls;
    int& most;
    int before = 0;
    Between(base::Scheduler& s, const int& c, int& m) : scheduler(s), calls(c), most(m) {}
    void run_at_turn_end() override {
      most = std::max(most, calls - std::exchange(before, calls));
      if (calls < 100) scheduler.mark_deferred(*this);
    }
  } between(turn, calls, most_in_a_slice);
  turn.mark_deferred(between);
  REQUIRE(run_until([&] { return calls == 100; }));
  run_idle_turns();
  CHECK(most_in_a_slice > 0);
  CHECK(most_in_a_slice <= 8);
}

TEST_CASE_FIXTURE(Fixture, "jwks waiters: one that is called may end itself and others") {
  start_with_keys();
  auto first = std::make_unique<JwksWaiter>(*this);
  auto second = std::make_unique<JwksWaiter>(*this);
  JwksWaiter third(*this);
  for (JwksWaiter* waiter : {first.get(), second.get(), &third})
    REQUIRE(request(*waiter));
  first->then = [&] {
    second.reset();
    first.reset();
  };
  REQUIRE(run_until([&] { return third.calls == 1; }));
  CHECK((!first && !second));
  CHECK(stats().waiting == 0);
}

TEST_CASE_FIXTURE(Fixture, "jwks waiters: stopping the source answers them, destroying it does not") {
  is_silent = true;
  start();
  JwksWaiter waiter(*this);
  REQUIRE(request(waiter));
  keys->source().stop();
  CHECK(waiter.calls == 0);
  REQUIRE(run_until([&] { return waiter.calls == 1; }));
  CHECK_FALSE(request(waiter));
  keys->source().start();
  REQUIRE(request(waiter));
  SUBCASE("while it fetches") {}
  SUBCASE("while it answers") { keys->source().stop(); }
  keys.reset();
  run_idle_turns();
  pass(minute_ms);
  CHECK(waiter.calls == 1);
  CHECK_FALSE(waiter.waiter.is_waiting());
}

}  // namespace roomcast::auth::jwks_waiters_test
