#include "report/attack_table.h"

#include <array>
#include <cstdio>
#include <limits>

#include "report/json_text.h"
#include "report/machine.h"
#include "report/show.h"
#include "scenario/stage.h"

namespace roomcast::bench {

namespace {

std::string marked(const std::string& figure, bool meets_goal) {
  return meets_goal ? figure : "**" + figure + "**";
}

std::string ms(std::int64_t ns) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), ns < 100'000'000 ? "%.1f" : "%.0f", to_ms(ns));
  return text.data();
}

std::string mib(std::int64_t bytes) {
  if (bytes < 0) return "–";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", static_cast<double>(bytes) / (1024.0 * 1024.0));
  return text.data();
}

std::string p50_of(const Latency& latency) {
  return latency.count() == 0 ? "–" : ms(latency.percentile_ns(0.5));
}

std::string p99_of(const Latency& latency, const AttackGoals& goals) {
  return latency.count() == 0 ? "**–**" : marked(ms(latency.percentile_ns(0.99)), goals.meets_p99(latency));
}

std::string worst_of(const Latency& latency, const AttackGoals& goals) {
  return latency.count() == 0 ? "**–**" : marked(ms(latency.max_ns()), goals.meets_worst(latency));
}

void latency_members(JsonText& json, std::string_view key, const Experience& experience) {
  const Latency& latency = experience.latency;
  json.open_object(key).member("count", latency.count()).member("harmed", experience.harmed);
  json.member("p50_ms", to_ms(latency.percentile_ns(0.5)));
  json.member("p99_ms", to_ms(latency.percentile_ns(0.99))).member("worst_ms", to_ms(latency.max_ns()));
  json.close_object();
}

double or_missing(std::int64_t bytes) {
  return bytes < 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(bytes);
}

void memory_members(JsonText& json, const AttackResult& result) {
  json.member("bytes_before", or_missing(result.bytes_before));
  json.member("bytes_peak", or_missing(result.bytes_peak));
  json.member("bytes_after", or_missing(result.bytes_after));
  json.member("metric_bytes_before", or_missing(result.before.memory_bytes.value_or(-1)));
  json.member("metric_bytes_after", or_missing(result.after.memory_bytes.value_or(-1)));
}

void attacker_members(JsonText& json, const SwarmTally& tally) {
  json.open_object("attacker").member("opened", tally.opened).member("sent", tally.sent);
  json.member("bytes", tally.bytes).member("answers", tally.answers).member("refused", tally.refused);
  json.member("cut", tally.cut).close_object();
}

}  // namespace

std::string line_of(const AttackResult& result, const AttackGoals& goals) {
  std::string line = "| " + result.name + " | ";
  if (result.measures_latency) {
    line += p50_of(result.health.latency) + " / " + p99_of(result.health.latency, goals) + " / " +
            worst_of(result.health.latency, goals) + " | ";
    line += p50_of(result.delivery.latency) + " / " + p99_of(result.delivery.latency, goals) + " / " +
            worst_of(result.delivery.latency, goals) + " | ";
  } else {
    line += "– | – | ";
  }
  line += marked(grouped(result.harmed()), result.harmed() == 0) + " | ";
  line += mib(result.bytes_before) + " / " + mib(result.bytes_peak) + " / " +
          marked(mib(result.bytes_after), goals.meets_memory(result)) + " | ";
  const auto long_turns = result.long_turns();
  line += (long_turns ? grouped(*long_turns) : "–") + " | ";
  return line + grouped(result.attacker.sent) + " / " + grouped(result.attacker.refused) + " / " +
         grouped(result.attacker.cut) + " |\n";
}

std::string attacks_as_markdown(const std::vector<AttackResult>& results, const AttackGoals& goals) {
  std::string text =
      "| attack | healthz p50 / p99 / worst, ms | delivery p50 / p99 / worst, ms | innocents closed or "
      "refused | "
      "memory before / peak / after, MiB | turns > 25 ms | attacker sent / refused / cut |\n"
      "|---|--:|--:|--:|--:|--:|--:|\n";
  std::string remarks;
  std::size_t met = 0;
  for (const AttackResult& result : results) {
    text += line_of(result, goals);
    if (goals.meets(result)) ++met;
    for (const std::string& remark : result.remarks)
      remarks += "- " + result.name + ": " + remark + "\n";
  }
  text += "\nGoals for the innocents: p99 at most " + ms(goals.p99_ns) + " ms, worst at most " +
          ms(goals.worst_ns) + " ms, none closed or refused, memory a second later at most " +
          std::to_string(static_cast<int>(goals.memory_share * 100 + 0.5)) + " % of before and " +
          mib(goals.kept_bytes) + " MiB. Met by " + std::to_string(met) + " of " +
          std::to_string(results.size()) + "; bold is what misses.\n\n" + describe_machine() + "\n";
  if (!remarks.empty()) text += "\nWhat happened:\n\n" + remarks;
  return text;
}

std::string attacks_as_json(const std::vector<AttackResult>& results, const AttackGoals& goals) {
  JsonText json;
  json.open_object().member("machine", describe_machine()).open_array("rows");
  for (const AttackResult& result : results) {
    json.open_object().member("name", result.name);
    json.member("goals", goals.meets(result) ? "met" : "missed");
    latency_members(json, "healthz", result.health);
    latency_members(json, "delivery", result.delivery);
    json.member("closed_or_refused", result.harmed());
    memory_members(json, result);
    const auto long_turns = result.long_turns();
    json.member("long_turns",
                long_turns ? static_cast<double>(*long_turns) : std::numeric_limits<double>::quiet_NaN());
    attacker_members(json, result.attacker);
    std::string remarks;
    for (const std::string& remark : result.remarks)
      remarks += (remarks.empty() ? "" : "; ") + remark;
    json.member("remarks", remarks).member("failed", static_cast<std::uint64_t>(result.failed ? 1 : 0));
    json.close_object();
  }
  return json.close_array().close_object().text() + "\n";
}

}  // namespace roomcast::bench
