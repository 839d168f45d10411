#include "redis/topology.h"

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

using namespace roomcast;

namespace topology_test {

struct Recorder final : redis::Topology::Listener {
  std::vector<redis::Layout> layouts;
  void on_layout(const redis::Layout& layout) override { layouts.push_back(layout); }
  void on_topology_lost(std::string_view /*why*/) override { FAIL("a single server is never lost"); }
};

TEST_CASE("a single server has all slots, and doubt changes nothing") {
  const auto address = *redis::ServerAddress::parse("rediss://db.example.org:7000");
  redis::SingleTopology topology(address);
  Recorder recorder;
  topology.start(recorder);
  topology.doubt();
  REQUIRE(recorder.layouts.size() == 1);
  REQUIRE(recorder.layouts[0].shards.size() == 1);
  const redis::Layout::Shard& shard = recorder.layouts[0].shards[0];
  CHECK(shard.address == address);
  REQUIRE(shard.slots.size() == 1);
  CHECK(shard.slots[0].first == 0);
  CHECK(shard.slots[0].second == 16'383);
  CHECK(recorder.layouts[0] == redis::Layout::of_one(address));
}

}  // namespace topology_test
