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

// http, ws and hub can be used without a configuration: their own defaults are those that it documents.

TEST_CASE(
    "settings: what http, ws and the hub do by themselves is what the configuration has as its default") {
  const http::ParserLimits parser;
  CHECK(parser.header_bytes == part::parser_limits({}).header_bytes);
  CHECK(parser.header_count == part::parser_limits({}).header_count);
  CHECK(parser.uri_bytes == part::parser_limits({}).uri_bytes);
  CHECK(parser.body_bytes == part::parser_limits({}).body_bytes);
  const http::ConnectionSettings connection;
  CHECK(connection.head_ms == part::connection_settings({}).head_ms);
  CHECK(connection.body_ms == part::connection_settings({}).body_ms);
  CHECK(connection.idle_ms == part::connection_settings({}).idle_ms);
  CHECK(part::room_rules({}) == hub::RoomRules());
  CHECK(hub::HubLimits().history_bytes == part::hub_limits({}).history_bytes);
  CHECK(hub::HubLimits().room_bytes == part::hub_limits({}).room_bytes);
  CHECK(hub::HubLimits().page_bytes == part::hub_limits({}).page_bytes);
}

}  // namespace settings_test
