#include "redis/server_info.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace roomcast::redis {

namespace {

/// Major and minor number.
using Version = std::pair<unsigned, unsigned>;

/// The first two numbers of "7.0.15".
std::optional<Version> parse_version(std::string_view text) {
  Version version;
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.first);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, version.second);
  if (minor.ec != std::errc() || (minor.ptr != end && *minor.ptr != '.')) return std::nullopt;
  return version;
}

/// Servers make these of 160 random bits; who invents one often repeats a digit.
bool is_server_id(std::string_view id) {
  constexpr std::size_t digits = 40;
  return id.size() == digits && id.find_first_not_of("0123456789abcdef") == std::string_view::npos &&
         id.find_first_not_of(id.front()) != std::string_view::npos;
}

std::string why_not_version(const ServerInfo& info) {
  const bool is_redis = info.product == "redis";
  if (!is_redis && info.product != "valkey") {
    return "it calls itself \"" + info.product + "\", and is neither Redis nor Valkey";
  }
  const auto version = parse_version(info.version);
  if (!version) return "it does not say its version, but \"" + info.version + "\"";
  if (!is_redis) {
    return *version < Version{7, 2} ? "Valkey " + info.version + " is too old: 7.2 or newer is needed" : "";
  }
  if (*version < Version{6, 2}) return "Redis " + info.version + " is too old: 6.2 or newer is needed";
  if (info.is_cluster && *version < Version{7, 0}) {
    return "Redis " + info.version + " is too old for a cluster: 7.0 or newer is needed (sharded pub/sub)";
  }
  return {};
}

}  // namespace

void read_info(std::string_view text, ServerInfo& info) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 1);
    if (key == "redis_version") {
      // For old clients Valkey says here which Redis it is like.
      if (info.product != "valkey") info.version = value;
    } else if (key == "valkey_version") {
      info.product = "valkey";
      info.version = value;
    } else if (key == "run_id") {
      info.run_id = value;
    } else if (key == "master_replid") {
      info.replication_id = value;
    } else if (key == "maxmemory_policy") {
      info.eviction = value;
    } else if (key == "role") {
      info.is_primary = value == "master";
    } else if (key == "cluster_enabled") {
      info.is_cluster = value == "1";
    } else if (key == "loading") {
      info.is_loading = value == "1";
    } else if (key == "master_host") {
      info.primary_host = value;
    } else if (key == "master_port") {
      std::uint16_t port = 0;
      std::from_chars(value.data(), value.data() + value.size(), port);
      info.primary_port = port;
    }
  }
}

std::string why_unusable(const ServerInfo& info, ServerRole role) {
  if (role == ServerRole::sentinel) {
    return info.is_sentinel ? "" : "it is no Sentinel: with redis.sentinel set, redis.urls names Sentinels";
  }
  if (info.is_sentinel)
    return "it is a Sentinel: set redis.sentinel to the name of the primary that it knows";
  if (std::string why = why_not_version(info); !why.empty()) return why;
  if (!info.is_primary && role == ServerRole::primary) {
    return "it is a replica of " + info.primary_host + ':' + std::to_string(info.primary_port) +
           "; the primary is needed, or redis.sentinel";
  }
  for (const auto& [name, id] :
       {std::pair{"run_id", &info.run_id}, std::pair{"master_replid", &info.replication_id}}) {
    if (is_server_id(*id)) continue;
    return std::string("its ") + name + " in INFO is " + (id->empty() ? "missing" : "\"" + *id + "\"") +
           ", not 40 hex digits: a proxy or an imitation, where a restart or failover would go unnoticed";
  }
  if (info.is_loading) return "it is still loading its data";
  return {};
}

std::vector<std::string> advice_for(const ServerInfo& info) {
  std::vector<std::string> advice;
  if (!info.eviction.empty() && info.eviction != "noeviction") {
    advice.push_back(
        "maxmemory-policy is " + info.eviction +
        ": when memory is short the server throws history away, which clients see as gaps; noeviction "
        "refuses publishes instead");
  }
  return advice;
}

}  // namespace roomcast::redis
