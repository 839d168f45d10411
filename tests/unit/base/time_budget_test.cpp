#include "base/time_budget.h"

#include <doctest/doctest.h>

#include "support/fake_clock.h"

namespace time_budget_test {

using namespace roomcast;

namespace {

constexpr std::int64_t most_us = 4'000;

struct Fixture {
  /// Does work that takes that time.
  void work(std::int64_t us) {
    clock.us_between_looks = us;
    budget.spend_on([] {});
    clock.us_between_looks = 0;
  }

  roomcast::test::FakeClock clock;
  base::TimeBudget budget{clock, most_us};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "time budget: what is left after a pause is all there is, however long that was") {
  clock.advance(60'000);
  CHECK(budget.has_plenty());
  work(2 * most_us);
  CHECK_FALSE(budget.has_some());
}

TEST_CASE_FIXTURE(Fixture, "time budget: work takes what it took, and of other time a half comes back") {
  work(most_us / 2 - 1);
  CHECK(budget.has_plenty());
  work(1'500);
  CHECK_FALSE(budget.has_plenty());
  CHECK(budget.has_some());
  clock.advance(3);
  CHECK(budget.has_plenty());
  work(2 * most_us);
  CHECK_FALSE(budget.has_some());
  clock.advance(3);
  CHECK_FALSE(budget.has_some());
  clock.advance(60);
  CHECK(budget.has_plenty());
}

}  // namespace time_budget_test
