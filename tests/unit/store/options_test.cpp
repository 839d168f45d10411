#include "store/options.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <numeric>

namespace options_test {

using namespace roomcast;

TEST_CASE("histogram: a bound belongs to its own bucket, and what exceeds all has one as well") {
  store::BatchSizes sizes;
  for (const std::int64_t messages : {0, 1, 2, 3, 5, 10'000, 10'001})
    sizes.add(messages);
  CHECK(sizes.buckets[0] == 1);
  CHECK(sizes.buckets[1] == 1);
  CHECK(sizes.buckets[2] == 1);
  CHECK(sizes.buckets[3] == 2);
  CHECK(sizes.buckets[sizes.buckets.size() - 2] == 1);
  CHECK(sizes.buckets.back() == 1);
  CHECK(sizes.count == 7);
  CHECK(sizes.sum == 20'012);
}

TEST_CASE("histogram: durations are in microseconds") {
  store::Durations durations;
  durations.add(500);
  durations.add(501);
  durations.add(5'000'001);
  CHECK(durations.buckets.front() == 1);
  CHECK(durations.buckets[1] == 1);
  CHECK(durations.buckets.back() == 1);
  CHECK(std::accumulate(durations.buckets.begin(), durations.buckets.end(), std::uint64_t{0}) ==
        durations.count);
}

}  // namespace options_test
