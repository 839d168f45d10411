#include "config/array_elements.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "config/schema.h"

namespace array_elements_test {

using namespace roomcast::config;

namespace {

const Setting& rooms() { return *find_setting("rooms"); }

Value tables(const std::vector<std::vector<Table::Item>>& items) {
  std::vector<Table> out;
  for (const auto& one : items)
    out.push_back({one, {}});
  return out;
}

/// What `value` is refused with, or "taken".
std::string outcome(const Value& value) {
  Config config;
  return assign(rooms(), value, config).value_or("taken");
}

}  // namespace

TEST_CASE("rooms are tables with a pattern and settings that are different there") {
  Config config;
  CHECK_FALSE(
      assign(
          rooms(),
          tables({{{"history_messages", std::int64_t{5}}, {"match", "chat/**"}, {"history_age_seconds", 0.5}},
                  {{"match", "*"}}}),
          config)
          .has_value());
  REQUIRE(config.rooms.size() == 2);
  CHECK(config.rooms[0].match == "chat/**");
  CHECK(to_toml(rooms(), config) ==
        "[{ match = \"chat/**\", history_messages = 5, history_age_seconds = 0.5 }, { match = \"*\" }]");

  config.history.bytes = 77;
  ConfigInRooms in_rooms(config);
  const Config there = in_rooms.with(config.rooms[0]);
  CHECK(there.history.messages == 5);
  CHECK(there.history.age_ms == 500);
  CHECK(there.history.bytes == 77);
  CHECK(config.history.messages == 100);
  CHECK(in_rooms.with(config.rooms[1]).history.messages == 100);
  CHECK(in_rooms.with(config.rooms[1]).history.age_ms == config.history.age_ms);

  CHECK_FALSE(assign(rooms(), std::vector<std::string>{}, config).has_value());
  CHECK(config.rooms.empty());
}

TEST_CASE("what is wrong with a rule for rooms is said with the range of the setting it overrides") {
  CHECK(outcome(tables({{{"match", "a"}, {"history_messages", std::int64_t{1'000'000}}}})) == "taken");
  CHECK(outcome(tables({{{"match", "a"}, {"history_messages", std::int64_t{1'000'001}}}})) ==
        "history_messages: expected a whole number, 0 to 1000000, found 1000001");
  CHECK(outcome(tables({{{"match", "a"}, {"history_bytes", "1M"}}})) ==
        "history_bytes: expected a whole number of bytes, 0 to 1073741824, found \"1M\"");
  CHECK(outcome(tables({{{"match", "a"}, {"history_age_seconds", -0.5}}})) ==
        "history_age_seconds: expected a number of seconds, 0.001 to 31536000, found -0.5");
  CHECK(outcome(tables({{{"match", "a"}, {"history_mesages", std::int64_t{1}}}})) ==
        "unknown key \"history_mesages\" (did you mean history_messages?)");
  CHECK(outcome(tables({{{"mach", "a"}}})) == "unknown key \"mach\" (did you mean match?)");
  CHECK(outcome(tables({{{"match", "a"}, {"history_total_bytes", std::int64_t{1}}}}))
            .starts_with("unknown key \"history_total_bytes\""));
  CHECK(outcome(tables({{{"match", "a"}, {"limits_connections", std::int64_t{1}}}})) ==
        "unknown key \"limits_connections\"");
  CHECK(outcome(tables({{{"history_messages", std::int64_t{1}}}})) ==
        "expected match in every element, found one without");
  const std::string expected =
      "match: expected a pattern for names of rooms, 1 to 200 bytes without control characters, found ";
  CHECK(outcome(tables({{{"match", ""}}})) == expected + "\"\"");
  CHECK(outcome(tables({{{"match", "a\n"}}})) == expected + "\"a\\n\"");
  CHECK(outcome(tables({{{"match", true}}})) == expected + "true");
  CHECK(outcome(tables({{{"match", std::string(200, '*')}}})) == "taken");
  CHECK(outcome(tables({{{"match", std::string(201, '*')}}})).starts_with(expected));
  CHECK(outcome(parse_text(rooms(), "chat/**")) == "expected " + expectation(rooms()) + ", found a text");
  CHECK(expectation(rooms()).starts_with(
      "an array of at most 1000 tables with match and any of history_messages, history_bytes, "));
}

TEST_CASE("settings of rooms alone are overridden under their own names") {
  Config config;
  const Value rules = tables({{{"match", "a"},
                               {"publish_only_keys", true},
                               {"members_max", std::int64_t{2}},
                               {"message_bytes", std::int64_t{3}},
                               {"messages_per_second", std::int64_t{4}},
                               {"slow_mode_seconds", 0.5},
                               {"hidden_members", true},
                               {"echo", false}}});
  CHECK_FALSE(assign(rooms(), rules, config).has_value());
  CHECK(to_toml(rooms(), config) ==
        "[{ match = \"a\", publish_only_keys = true, members_max = 2, message_bytes = 3, "
        "messages_per_second = 4, slow_mode_seconds = 0.5, hidden_members = true, echo = false }]");
  ConfigInRooms in_rooms(config);
  const Config::RoomDefaults there = in_rooms.with(config.rooms[0]).room_defaults;
  CHECK((there.publish_only_keys && there.hidden_members && !there.echo));
  CHECK((there.members_max == 2 && there.message_bytes == 3 && there.messages_per_second == 4));
  CHECK(there.slow_mode_ms == 500);
  CHECK(outcome(tables({{{"match", "a"}, {"room_defaults_echo", false}}})).starts_with("unknown key"));
}

TEST_CASE("so many rules for rooms are taken, and one more is refused") {
  const auto rules = [](std::size_t count) { return std::vector<Table>(count, Table{{{"match", "a"}}}); };
  CHECK(outcome(rules(room_rules_max)) == "taken");
  CHECK(outcome(rules(room_rules_max + 1)) == "expected " + expectation(rooms()) + ", found 1001 tables");
}

}  // namespace array_elements_test
