#include "access/token_bucket.h"

#include <doctest/doctest.h>

#include <cstdint>

namespace token_bucket_test {

using roomcast::access::Rate;
using roomcast::access::SteadyTime;
using roomcast::access::TokenBucket;

namespace {

constexpr std::int64_t ms = 1'000'000;

struct Fixture {
  TokenBucket bucket;
  Rate rate{10, 1'000, 500};  // 5 at once
  std::int64_t now = 7'000 * ms;

  bool spend(std::uint64_t amount = 1) {
    if (bucket.wait_ns(rate, amount, now) > 0) return false;
    bucket.spend(rate, amount, now);
    return true;
  }
  int spend_all() {
    int spent = 0;
    while (spend())
      ++spent;
    return spent;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "token bucket: a full one lets through its burst and not one more") {
  CHECK(bucket.is_full(now));
  CHECK(spend_all() == 5);
  CHECK_FALSE(bucket.is_full(now));
}

TEST_CASE_FIXTURE(Fixture,
                  "token bucket: it fills at its rate, to the nanosecond, and no further than its burst") {
  CHECK(spend_all() == 5);
  CHECK(bucket.wait_ns(rate, 1, now) == 100 * ms);
  now += 100 * ms - 1;
  CHECK_FALSE(spend());
  now += 1;
  CHECK(spend());
  CHECK_FALSE(spend());
  now += 450 * ms;
  CHECK(spend_all() == 4);
  now += 3'600'000 * ms;
  CHECK(bucket.is_full(now));
  CHECK(spend_all() == 5);
}

TEST_CASE_FIXTURE(Fixture, "token bucket: an uneven rate is kept exactly") {
  rate = {3, 1'000, 1'000};
  int spent = 0;
  for (int i = 0; i <= 10'000; ++i) {
    spent += spend_all();
    now += ms;
  }
  CHECK(spent == 3 + 30);
}

TEST_CASE_FIXTURE(Fixture, "token bucket: less than one a burst is one") {
  rate = {1, 60'000, 0};
  CHECK(spend_all() == 1);
  CHECK(bucket.wait_ns(rate, 1, now) == 60'000 * ms);
}

TEST_CASE_FIXTURE(Fixture, "token bucket: more than it holds passes when it is full, and is paid for") {
  CHECK(spend(50));
  CHECK(bucket.wait_ns(rate, 1, now) == 4'600 * ms);
  now += 4'600 * ms;
  CHECK(spend());
  CHECK_FALSE(spend(50));
  CHECK(bucket.wait_ns(rate, 50, now) == 500 * ms);
}

TEST_CASE_FIXTURE(Fixture, "token bucket: the largest amount at the lowest rate is within range") {
  rate = {1, 1'000, 1'000};
  CHECK(spend(std::uint64_t{1} << 32U));
  CHECK(bucket.wait_ns(rate, 1, now) == (std::int64_t{1} << 32U) * 1'000 * ms);
}

TEST_CASE("steady time: a clock that jumps back neither fills nor locks a bucket") {
  SteadyTime time;
  CHECK(time.at_ns(1'000) == 1'000 * ms);
  CHECK(time.at_ns(5'000) == 5'000 * ms);
  CHECK(time.at_ns(2'000) == 5'000 * ms);
  CHECK(time.at_ns(2'100) == 5'100 * ms);
  CHECK(time.at_ns(0) == 5'100 * ms);
  CHECK(time.at_ns(9'000) == 14'100 * ms);
}

}  // namespace token_bucket_test
