#include "attack/server_gauges.h"

#include <doctest/doctest.h>

namespace server_gauges_test {

using namespace roomcast::bench;

TEST_CASE("turns of more than 25 ms are those that the bucket of 25 ms has not") {
  const ServerGauges gauges = read_gauges(
      "# TYPE roomcast_turn_duration_seconds histogram\n"
      "roomcast_turn_duration_seconds_bucket{le=\"0.025\"} 90\n"
      "roomcast_turn_duration_seconds_bucket{le=\"+Inf\"} 97\n"
      "roomcast_turn_duration_seconds_sum 1.5\n"
      "roomcast_turn_duration_seconds_count 97\n"
      "roomcast_memory_bytes 739584\n");
  CHECK(gauges.long_turns == 7);
  CHECK(gauges.memory_bytes == 739'584);
}

TEST_CASE("a server that does not say leaves nothing, and a longer name is another one") {
  const ServerGauges gauges = read_gauges("roomcast_memory_bytes_total 5\n# roomcast_memory_bytes 5\n");
  CHECK_FALSE(gauges.memory_bytes);
  CHECK_FALSE(gauges.long_turns);
  CHECK_FALSE(read_gauges("").memory_bytes);
}

}  // namespace server_gauges_test
