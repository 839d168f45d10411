#include "part/settings.h"

#include <doctest/doctest.h>

#include <string>

#include "config/load.h"

namespace settings_test {

using namespace roomcast;

TEST_CASE("room rules: what a rule leaves out is as in general, in the environment too") {
  config::Sources sources;
  sources.environment = {"ROOMCAST_HISTORY_AGE_SECONDS=30", "ROOMCAST_HISTORY_TOTAL_BYTES=5000"};
  const auto loaded = config::load_text(
      "history = { messages = 7, bytes = 70 }\n"
      "rooms = [{ match = \"a/b\", history_messages = 0 }, { match = \"a/*\", history_bytes = 1 },\n"
      "         { match = \"c\", history_age_seconds = 0.5 }]\n",
      sources);
  REQUIRE(loaded.ok());
  const hub::RoomRules rules = part::room_rules(loaded->config);
  CHECK(rules.find("other").history == hub::HistoryLimits{7, 70, 30'000});
  CHECK(rules.find("a/b").history == hub::HistoryLimits{0, 70, 30'000});
  CHECK(rules.find("a/c").history == hub::HistoryLimits{7, 1, 30'000});
  CHECK(rules.find("c").history == hub::HistoryLimits{7, 70, 500});
  CHECK(part::hub_limits(loaded->config).history_bytes == 5'000);
}

TEST_CASE("room rules: presence can be different too") {
  const auto loaded = config::load_text(
      "presence = { grace_seconds = 1, crowd = 5 }\n"
      "rooms = [{ match = \"a\", presence_crowd = 0 }, { match = \"b\", presence_grace_seconds = 0.5 }]\n",
      {});
  REQUIRE(loaded.ok());
  const hub::RoomRules rules = part::room_rules(loaded->config);
  CHECK(rules.find("other").presence == hub::PresenceLimits{1'000, 5});
  CHECK(rules.find("a").presence == hub::PresenceLimits{1'000, 0});
  CHECK(rules.find("b").presence == hub::PresenceLimits{500, 5});
}

TEST_CASE(
    "room rules: members that are hidden are a crowd of any size, and listed up to the size of others") {
  const auto loaded = config::load_text(
      "presence = { crowd = 5 }\nroom_defaults = { hidden_members = true }\n"
      "rooms = [{ match = \"a\", hidden_members = false }]\n",
      {});
  REQUIRE(loaded.ok());
  const hub::RoomRules rules = part::room_rules(loaded->config);
  CHECK(rules.find("other").presence == hub::PresenceLimits{3'000, 5, true});
  CHECK(rules.find("other").presence.announced_max() == 0);
  CHECK(rules.find("a").presence.announced_max() == 5);
}

TEST_CASE("service rules: the general ones, and what a pattern overrides of them") {
  const auto loaded = config::load_text(
      "room_defaults = { members_max = 3, slow_mode_seconds = 1.5 }\n"
      "rooms = [{ match = \"a\", echo = false, publish_only_keys = true, slow_mode_seconds = 0 },\n"
      "         { match = \"b\", message_bytes = 7, messages_per_second = 8 }]\n",
      {});
  REQUIRE(loaded.ok());
  const service::RoomRules rules = part::service_rules(loaded->config);
  service::RoomRule general;
  general.members_max = 3;
  general.slow_mode_ms = 1'500;
  CHECK(rules.find("other") == general);
  service::RoomRule a = general;
  a.echo = false;
  a.publish_only_keys = true;
  a.slow_mode_ms = 0;
  CHECK(rules.find("a") == a);
  service::RoomRule b = general;
  b.message_bytes = 7;
  b.messages_per_second = 8;
  CHECK(rules.find("b") == b);
  CHECK(part::service_rules({}).is_default());
}

TEST_CASE("rate limits: each has its setting") {
  config::Config config;
  CHECK(part::rate_limits(config) == access::Rates::Limits{});
  config.rates = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  config.limits.connections_per_user = 16;
  config.limits.ipv6_prefix = 48;
  const access::Rates::Limits limits = part::rate_limits(config);
  CHECK(limits.address == access::Rates::Limits::PerSecond{1, 2, 3, 4, 5});
  CHECK(limits.user == access::Rates::Limits::PerSecond{6, 7, 8, 9, 10});
  CHECK(limits.connection == access::Rates::Limits::PerSecond{0, 0, 11, 12, 13});
  CHECK((limits.burst_ms == 14 && limits.table_bytes == 15));
  CHECK((limits.connections_per_user == 16 && limits.ipv6_prefix_bits == 48));
}

TEST_CASE("hub limits: a page of the past is at most a quarter of what may wait for a client") {
  const auto page_bytes = [](const std::string& limits) {
    const auto loaded = config::load_text("limits = " + limits, {});
    REQUIRE(loaded.ok());
    return part::hub_limits(loaded->config).page_bytes;
  };
  CHECK(page_bytes("{ queue_bytes = 524288, message_bytes = 1000 }") == 131'072);
  CHECK(page_bytes("{ queue_bytes = 524284, message_bytes = 1000 }") == 131'071);
  CHECK(page_bytes("{ queue_bytes = 1, message_bytes = 40000 }") == 20'000);
}

TEST_CASE("hub limits: rooms with members may take as much as all histories, and never less than 64 MiB") {
  config::Config config;
  config.history.total_bytes = 5'000;
  CHECK(part::hub_limits(config).history_bytes == 5'000);
  CHECK(part::hub_limits(config).room_bytes == 64U << 20U);
  config.history.total_bytes = (64U << 20U) + 1;
  CHECK(part::hub_limits(config).room_bytes == (64U << 20U) + 1);
}

}  // namespace settings_test
