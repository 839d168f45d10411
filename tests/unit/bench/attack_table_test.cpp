#include "report/attack_table.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "attack/attack.h"

namespace attack_table_test {

using namespace roomcast::bench;

namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t mib = 1 << 20;

/// Meets all goals, each of them just so.
AttackResult just_good_enough() {
  AttackResult result;
  result.name = "an attack";
  for (Experience* const experience : {&result.health, &result.delivery}) {
    for (int i = 0; i < 200; ++i)
      experience->latency.add(2 * ms);
    experience->latency.add(100 * ms);
  }
  result.bytes_before = 10 * mib;
  result.bytes_peak = 500 * mib;
  result.bytes_after = 16 * mib;
  result.before.long_turns = 3;
  result.after.long_turns = 10;
  result.attacker.sent = 1234;
  return result;
}

bool is_good(const AttackResult& result) { return AttackGoals().meets(result); }

}  // namespace

TEST_CASE("goals are met at their limits and missed past them") {
  CHECK(is_good(just_good_enough()));
  AttackResult worst = just_good_enough();
  worst.delivery.latency.add(101 * ms);
  CHECK_FALSE(is_good(worst));
  AttackResult slow = just_good_enough();
  for (int i = 0; i < 10; ++i)
    slow.health.latency.add(25 * ms);
  CHECK_FALSE(is_good(slow));
  AttackResult big = just_good_enough();
  ++big.bytes_after;
  CHECK_FALSE(is_good(big));
}

TEST_CASE("anybody who is harmed misses the goal, and so does who was never served") {
  for (Experience AttackResult::*const harmed : {&AttackResult::health, &AttackResult::delivery}) {
    AttackResult result = just_good_enough();
    (result.*harmed).harmed = 1;
    CHECK_FALSE(is_good(result));
    result = just_good_enough();
    (result.*harmed).latency = {};
    CHECK_FALSE(is_good(result));
  }
  AttackResult bystander = just_good_enough();
  bystander.bystanders_harmed = 1;
  CHECK_FALSE(is_good(bystander));
  AttackResult failed = just_good_enough();
  failed.failed = true;
  CHECK_FALSE(is_good(failed));
}

TEST_CASE("a server that stands still as a whole is not judged by its latency") {
  AttackResult result = just_good_enough();
  result.health.latency.add(5000 * ms);
  result.measures_latency = false;
  CHECK(is_good(result));
  CHECK(line_of(result, {}).starts_with("| an attack | – | – | 0 | "));
}

TEST_CASE("a line has each figure, and those that miss are bold") {
  AttackResult result = just_good_enough();
  CHECK(line_of(result, {}) ==
        "| an attack | 2.0 / 2.0 / 100 | 2.0 / 2.0 / 100 | 0 | 10.0 / 500.0 / 16.0 | 7 | 1,234 / 0 / 0 |\n");
  result.health.latency.add(1234 * ms);
  result.bystanders_harmed = 50;
  result.bytes_after = 400 * mib;
  CHECK(line_of(result, {}) ==
        "| an attack | 2.0 / 2.0 / **1234** | 2.0 / 2.0 / 100 | **50** | 10.0 / 500.0 / **400.0** | 7 | "
        "1,234 / 0 / 0 |\n");
}

TEST_CASE("what is not known is a dash, and no number") {
  AttackResult result;
  result.name = "nothing known";
  CHECK(line_of(result, {}) ==
        "| nothing known | – / **–** / **–** | – / **–** / **–** | 0 | – / – / **–** | – | 0 / 0 / 0 |\n");
  CHECK(attacks_as_json({result}, {}).find(R"("bytes_before":null)") != std::string::npos);
}

TEST_CASE("below the table stand the goals, how many rows meet them, and what happened") {
  AttackResult bad = just_good_enough();
  bad.delivery.harmed = 1;
  bad.remarks = {"delivery: a connection was ended"};
  const std::string text = attacks_as_markdown({just_good_enough(), bad}, {});
  CHECK(text.find("Met by 1 of 2") != std::string::npos);
  CHECK(text.find("- an attack: delivery: a connection was ended\n") != std::string::npos);
  const std::string json = attacks_as_json({just_good_enough(), bad}, {});
  CHECK(json.find(R"("goals":"met")") != std::string::npos);
  CHECK(json.find(R"("goals":"missed")") != std::string::npos);
  CHECK(json.find(R"("closed_or_refused":1)") != std::string::npos);
}

TEST_CASE("the attacks have names of their own, and the first is none") {
  std::set<std::string_view> names;
  for (const Attack& attack : all_attacks()) {
    CHECK(static_cast<bool>(attack.run));
    names.insert(attack.name);
  }
  CHECK(names.size() == all_attacks().size());
  CHECK(all_attacks().front().name == "nobody attacks");
}

}  // namespace attack_table_test
