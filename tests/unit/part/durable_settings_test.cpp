#include <doctest/doctest.h>

#include "config/load.h"
#include "part/settings.h"

namespace durable_settings_test {

using namespace roomcast;

TEST_CASE(
    "room rules: in memory a room with durable history retains a ring, on the disk all of its history") {
  const auto loaded = config::load_text(
      "store = { path = \"/tmp/x\", ring_messages = 5, ring_bytes = 6_000 }\n"
      "history = { messages = 70, bytes = 700_000 }\n"
      "rooms = [{ match = \"few\", history_messages = 2 }, { match = \"none\", history_durability = \"none\" "
      "}]\n",
      {});
  REQUIRE(loaded.ok());
  const hub::RoomRules rules = part::room_rules(loaded->config);
  const hub::RoomRules in_memory = part::memory_rules(loaded->config);
  const std::int64_t age_ms = loaded->config.history.age_ms;
  CHECK(rules.find("a").history == hub::HistoryLimits{70, 700'000, age_ms});
  CHECK(in_memory.find("a").history == hub::HistoryLimits{5, 6'000, age_ms});
  CHECK(in_memory.find("a").kept_messages == 70);
  CHECK(in_memory.find("none").kept_messages == 0);
  CHECK(in_memory.find("few").history == hub::HistoryLimits{2, 6'000, age_ms});
  CHECK(in_memory.find("none").history == hub::HistoryLimits{70, 700'000, age_ms});
}

TEST_CASE("hub limits: the engine's own time for a commit is over before the hub's") {
  const auto loaded = config::load_text("store = { ack_timeout_seconds = 60 }\n", {});
  REQUIRE(loaded.ok());
  CHECK(part::hub_limits(loaded->config).engine_ms > 60'000);
  CHECK(part::hub_limits({}).engine_ms > 5'000);
}

}  // namespace durable_settings_test
