#include "metrics/histogram.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <vector>

using roomcast::metrics::Histogram;

namespace {
std::vector<std::uint64_t> counts_of(const Histogram& histogram) {
  return {histogram.counts().begin(), histogram.counts().end()};
}
}  // namespace

TEST_CASE("an observation at a bound counts in that bound's bucket, one past it in the next") {
  constexpr std::array<double, 2> bounds{1, 2};
  Histogram histogram(bounds);
  histogram.observe(1);
  CHECK(counts_of(histogram) == std::vector<std::uint64_t>{1, 0, 0});
  histogram.observe(1.0000001);
  CHECK(counts_of(histogram) == std::vector<std::uint64_t>{1, 1, 0});
  histogram.observe(2);
  histogram.observe(2.5);
  histogram.observe(-1);
  CHECK(counts_of(histogram) == std::vector<std::uint64_t>{2, 2, 1});
  CHECK(histogram.sum() == doctest::Approx(5.5000001));
}

TEST_CASE("a histogram without bounds counts everything above them all") {
  Histogram histogram({});
  histogram.observe(3);
  CHECK(counts_of(histogram) == std::vector<std::uint64_t>{1});
}
