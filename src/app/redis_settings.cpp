#include "app/redis_settings.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace roomcast::app {

namespace {

using Level = RedisFinding::Level;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;
constexpr std::uint64_t push_buffer_bytes = 32 * mebibyte;
constexpr std::uint64_t percent = 100;
constexpr std::uint64_t full_percent = 80;

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes / mebibyte) + " MiB"; }

/// The value of a setting; nothing if the server does not say it.
std::optional<std::string> setting_of(RedisClient& client, std::string_view name) {
  const RedisReply reply = client.ask({"CONFIG", "GET", name});
  if (reply.is_error() || reply.items.size() != 2) return std::nullopt;
  return reply.items[1].text;
}

std::vector<RedisFinding> judge_memory(std::string_view info) {
  const std::uint64_t limit = number_of(info_value(info, "maxmemory"));
  const std::uint64_t used = number_of(info_value(info, "used_memory"));
  const std::string policy(info_value(info, "maxmemory_policy"));
  std::vector<RedisFinding> findings;
  if (limit == 0) {
    findings.push_back({Level::warning, "maxmemory", "no limit; " + mebibytes(used) + " used",
                        "set maxmemory to less than the machine has: otherwise the kernel ends the server "
                        "when that is full"});
  } else if (used * percent / limit >= full_percent) {
    findings.push_back({Level::warning, "maxmemory", mebibytes(used) + " of " + mebibytes(limit) + " used",
                        "raise maxmemory, or lower history.messages and history.bytes: when it is full "
                        "publishes are refused"});
  } else {
    findings.push_back({Level::ok, "maxmemory", mebibytes(used) + " of " + mebibytes(limit) + " used", {}});
  }
  if (!policy.empty() && policy != "noeviction") {
    findings.push_back({Level::warning, "eviction", policy,
                        "CONFIG SET maxmemory-policy noeviction: with this one the server throws history "
                        "away when memory is short, which clients see as gaps"});
  } else {
    findings.push_back({Level::ok, "eviction", policy.empty() ? "not said" : policy, {}});
  }
  return findings;
}

RedisFinding judge_persistence(RedisClient& client, std::string_view info) {
  const bool has_log = info_value(info, "aof_enabled") == "1";
  if (has_log && info_value(info, "aof_last_write_status") == "err") {
    return {Level::failure, "persistence", "the append-only file can't be written",
            "look into the log of Redis: until it can, Redis refuses all writes"};
  }
  if (!has_log && info_value(info, "rdb_last_bgsave_status") == "err") {
    return {Level::warning, "persistence", "the last snapshot has failed",
            "look into the log of Redis: with stop-writes-on-bgsave-error, its default, it refuses all "
            "writes"};
  }
  if (has_log) return {Level::ok, "persistence", "append-only file", {}};
  const std::optional<std::string> save = setting_of(client, "save");
  const std::string found = save && save->empty() ? "none" : "snapshots";
  return {Level::warning, "persistence", found,
          "CONFIG SET appendonly yes (with appendfsync everysec): otherwise a restart of Redis loses what is "
          "newer than the last snapshot, which clients see as gaps"};
}

RedisFinding judge_replicas(RedisClient& client, std::string_view info) {
  const std::string count(info_value(info, "connected_slaves"));
  if (count.empty() || count == "0") {
    return {Level::warning, "replicas", "none",
            "with this machine all history is lost, and all publishing stops: add a replica, and Sentinels "
            "or a Cluster"};
  }
  const std::string found = count + (count == "1" ? " replica" : " replicas");
  // INFO has this line only where min-replicas-to-write is set.
  const std::string good(info_value(info, "min_slaves_good_slaves"));
  if (good.empty() || setting_of(client, "min-replicas-to-write") == "0") {
    return {Level::warning, "replicas", found + ", and none of them has to be there",
            "CONFIG SET min-replicas-to-write 1 and min-replicas-max-lag 10: otherwise a primary that is cut "
            "off takes messages until it is found again, and they are lost"};
  }
  if (good == "0") {
    return {
        Level::failure, "replicas", found + ", none of them near enough",
        "look at the replicas: until one has caught up, Redis refuses all writes (min-replicas-to-write)"};
  }
  return {Level::ok, "replicas", found + ", " + good + " near enough", {}};
}

/// `normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60`
RedisFinding judge_push_buffer(RedisClient& client) {
  const std::string what = "push buffer";
  const std::optional<std::string> limits = setting_of(client, "client-output-buffer-limit");
  const std::size_t at = limits ? limits->find("pubsub ") : std::string::npos;
  if (at == std::string::npos) {
    return {Level::unknown, what, "the server does not say it",
            "see to it that client-output-buffer-limit has pubsub 64mb 32mb 60"};
  }
  const std::string_view rest = std::string_view(*limits).substr(at + std::string_view("pubsub ").size());
  const std::string_view hard = rest.substr(0, rest.find(' '));
  const std::string_view behind = rest.substr(std::min(rest.size(), hard.size() + 1));
  const std::uint64_t hard_bytes = number_of(hard);
  const std::uint64_t soft_bytes = number_of(behind);
  const auto text = [](std::uint64_t bytes) { return bytes == 0 ? std::string("none") : mebibytes(bytes); };
  const std::string found = "hard limit " + text(hard_bytes) + ", soft limit " + text(soft_bytes);
  const bool is_small = (hard_bytes != 0 && hard_bytes < 2 * push_buffer_bytes) ||
                        (soft_bytes != 0 && soft_bytes < push_buffer_bytes);
  if (!is_small) return {Level::ok, what, found, {}};
  return {Level::warning, what, found,
          "CONFIG SET client-output-buffer-limit 'pubsub 64mb 32mb 60': a server that is busy for a moment "
          "loses its connection otherwise, and has to catch up"};
}

}  // namespace

std::string_view info_value(std::string_view info, std::string_view key) {
  while (!info.empty()) {
    const std::string_view line = info.substr(0, info.find_first_of("\r\n"));
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ':')
      return line.substr(key.size() + 1);
    info.remove_prefix(std::min(info.size(), line.size() + 1));
  }
  return {};
}

std::vector<RedisFinding> judge_redis_settings(RedisClient& client, std::string_view info) {
  std::vector<RedisFinding> findings = judge_memory(info);
  findings.push_back(judge_persistence(client, info));
  findings.push_back(judge_replicas(client, info));
  findings.push_back(judge_push_buffer(client));
  return findings;
}

}  // namespace roomcast::app
