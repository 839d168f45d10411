#include "load/latency.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

namespace roomcast::bench::latency_test {

TEST_CASE("nothing counted has no percentile") {
  const Latency latency;
  CHECK(latency.count() == 0);
  CHECK(latency.percentile_ns(0.99) == 0);
  CHECK(latency.max_ns() == 0);
}

TEST_CASE("short durations are exact") {
  Latency latency;
  for (std::int64_t ns = 1; ns <= 20; ++ns)
    latency.add(ns);
  CHECK(latency.percentile_ns(0) == 1);
  CHECK(latency.percentile_ns(0.5) == 10);
  CHECK(latency.percentile_ns(0.95) == 19);
  CHECK(latency.percentile_ns(1) == 20);
}

TEST_CASE("each duration alone is given back within three hundredths") {
  for (std::int64_t ns = 1; ns < std::numeric_limits<std::int64_t>::max() / 3; ns += ns / 4 + 1) {
    Latency latency;
    latency.add(ns);
    latency.add(std::numeric_limits<std::int64_t>::max());  // so that the largest one does not correct it
    const auto read = static_cast<double>(latency.percentile_ns(0.5));
    REQUIRE(read >= static_cast<double>(ns) * 0.97);
    REQUIRE(read <= static_cast<double>(ns) * 1.03);
  }
}

TEST_CASE("percentiles of a million are where they belong") {
  Latency latency;
  for (std::int64_t us = 1; us <= 1'000'000; ++us)
    latency.add(us * 1000);
  CHECK(latency.count() == 1'000'000);
  CHECK(latency.percentile_ns(0.5) == doctest::Approx(500e6).epsilon(0.03));
  CHECK(latency.percentile_ns(0.99) == doctest::Approx(990e6).epsilon(0.03));
  CHECK(latency.max_ns() == 1'000'000'000);
}

TEST_CASE("no percentile is above the longest") {
  Latency latency;
  latency.add(1'000'001);
  CHECK(latency.percentile_ns(1) == 1'000'001);
}

TEST_CASE("merged counts are those of both") {
  Latency one;
  Latency other;
  for (int i = 0; i < 99; ++i)
    one.add(10);
  other.add(5'000);
  one.merge(other);
  CHECK(one.count() == 100);
  CHECK(one.percentile_ns(0.99) == 10);
  CHECK(one.percentile_ns(1) == 5'000);
  CHECK(one.max_ns() == 5'000);
}

TEST_CASE("a clock that went backwards counts as nothing") {
  Latency latency;
  latency.add(-5);
  CHECK(latency.count() == 1);
  CHECK(latency.percentile_ns(1) == 0);
}

}  // namespace roomcast::bench::latency_test
