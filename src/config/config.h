#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "config/value.h"

namespace roomcast::config {

/// Certificate chain and private key, as paths of PEM files.
struct Certificate {
  std::string certificate;
  std::string key;
  friend bool operator==(const Certificate&, const Certificate&) = default;
};

/// Overrides for rooms whose names match a pattern (see hub/room_settings.h).
struct RoomRule {
  std::string match;
  /// Names of settings, such as "history.messages", with valid values.
  std::vector<std::pair<std::string, Value>> overrides;
};

/// Keys that tokens may be signed with: exactly one of the sources is given.
struct TokenKeys {
  std::vector<std::string> algorithms;  ///< "HS256", …: the only ones that these keys are good for
  std::string secret;
  std::string secret_file;
  std::string key_file;  ///< PEM
  std::string jwks_file;
  std::string jwks_url;
  std::string issuer;                 ///< of the tokens; empty: any
  std::vector<std::string> audience;  ///< a token has to be for one of these; empty: any
  friend bool operator==(const TokenKeys&, const TokenKeys&) = default;
};

/// A key for a backend.
struct ApiKey {
  std::string name;
  std::string hash;  ///< "sha256:HEX"
  std::vector<std::string> may;
  std::vector<std::string> rooms;  ///< patterns
  friend bool operator==(const ApiKey&, const ApiKey&) = default;
};

/// A row of `access` (see access/policy.h).
struct AccessRule {
  std::string rooms;
  std::string who;
  std::vector<std::string> may;
  friend bool operator==(const AccessRule&, const AccessRule&) = default;
};

/// What an answer to a publish means; see hub::Durability.
enum class Durability : std::uint8_t { none, async, sync };
/// What orders the messages of rooms: this server by itself, or Redis, for all servers that share it.
enum class EngineKind : std::uint8_t { memory, redis };
/// What to do at the start with damaged files.
enum class OnCorruption : std::uint8_t { stop, set_aside };

/// Everything that can be set. The values given here are the defaults; what each
/// means, its range and how it is reached are in the table of config/schema.cpp, which has one row for each
/// member. A duration is a key in seconds (`drain_seconds`) and a member in milliseconds (`drain_ms`).
struct Config {
  std::vector<std::string> listen{"http://127.0.0.1:8080"};
  std::vector<std::string> admin_listen;
  bool confine_operations = false;
  std::uint32_t listen_unix_mode = 0660;
  std::vector<std::string> origins;
  std::vector<std::string> hosts;
  std::vector<std::string> trusted_proxies;
  std::int64_t drain_delay_ms = 0;
  bool proxy_protocol = false;
  std::int64_t drain_ms = 10'000;
  std::vector<RoomRule> rooms;
  EngineKind engine = EngineKind::memory;

  struct Limits {
    std::uint64_t message_bytes = 65'536;
    std::uint64_t fragments = 1'024;
    std::uint64_t json_depth = 63;
    std::uint64_t body_bytes = 1'048'576;
    std::uint64_t header_bytes = 16'384;
    std::uint64_t header_count = 100;
    std::uint64_t uri_bytes = 8'192;
    std::uint64_t connections = 100'000;
    std::uint64_t connections_per_address = 0;
    std::uint64_t connections_per_user = 0;
    std::uint64_t handshakes_per_address = 0;
    std::uint64_t ipv6_prefix = 64;
    std::uint64_t rooms_per_connection = 100;
    std::uint64_t batch_messages = 1'000;
    std::uint64_t batch_bytes = 16'777'216;
    std::uint64_t idempotency_bytes = 16'777'216;
    std::uint64_t sanctions_bytes = 16'777'216;
    std::uint64_t queue_bytes = 1'048'576;
    std::uint64_t memory_bytes = 0;
    std::uint64_t address_memory_bytes = 0;
  } limits;

  /// 0: no limit.
  struct Rates {
    std::uint64_t address_connects_per_second = 0;
    std::uint64_t address_requests_per_second = 0;
    std::uint64_t address_joins_per_second = 0;
    std::uint64_t address_publishes_per_second = 0;
    std::uint64_t address_publish_bytes_per_second = 0;
    std::uint64_t user_connects_per_second = 0;
    std::uint64_t user_requests_per_second = 0;
    std::uint64_t user_joins_per_second = 0;
    std::uint64_t user_publishes_per_second = 0;
    std::uint64_t user_publish_bytes_per_second = 0;
    std::uint64_t connection_joins_per_second = 0;
    std::uint64_t connection_publishes_per_second = 0;
    std::uint64_t connection_publish_bytes_per_second = 0;
    std::int64_t burst_ms = 5'000;
    std::uint64_t table_bytes = 8'388'608;
  } rates;

  struct History {
    std::uint64_t messages = 100;
    std::uint64_t bytes = 1'048'576;
    std::int64_t age_ms = 600'000;
    std::uint64_t total_bytes = 268'435'456;
    Durability durability = Durability::sync;  ///< where there is a store
  } history;

  struct Store {
    std::string path;
    std::uint64_t commit_ms = 5;
    std::int64_t ack_timeout_ms = 5'000;
    OnCorruption on_corruption = OnCorruption::stop;
    std::uint64_t queue_bytes = 16'777'216;
    std::uint64_t fold_bytes = 16'777'216;
    std::uint64_t disk_bytes = 1'073'741'824;
    std::uint64_t ring_messages = 100;
    std::uint64_t ring_bytes = 262'144;
    std::uint64_t cache_bytes = 50'331'648;
    bool secure_delete = false;
  } store;

  /// Of the engine `redis`.
  struct Redis {
    std::vector<std::string> urls;
    std::string sentinel;
    bool cluster = false;
    std::string user;
    std::string password_file;
    std::string tls_ca;
    std::string tls_certificate;
    std::string tls_key;
    std::string tls_name;
    std::string prefix = "rc";
    std::int64_t publish_ms = 5'000;
    std::int64_t connect_ms = 2'000;
    std::int64_t recover_ms = 1'000;
    std::int64_t audit_ms = 60'000;
    std::int64_t room_ms = 86'400'000;
    std::int64_t linger_ms = 30'000;
    std::int64_t ready_ms = 10'000;
    std::uint64_t queue_bytes = 16'777'216;
  } redis;

  struct Node {
    std::string name;
  } node;

  struct Presence {
    std::int64_t grace_ms = 3'000;
    std::uint64_t crowd = 100;
  } presence;

  /// What `rooms` can override for the rooms of a pattern, under the same names.
  struct RoomDefaults {
    bool publish_only_keys = false;
    std::uint64_t members_max = 0;
    std::uint64_t message_bytes = 0;
    std::uint64_t messages_per_second = 0;
    std::int64_t slow_mode_ms = 0;
    bool hidden_members = false;
    bool echo = true;
  } room_defaults;

  struct Tls {
    std::string certificate;
    std::string key;
    std::vector<Certificate> certificates;
  } tls;

  struct Http {
    std::int64_t head_timeout_ms = 10'000;
    std::int64_t body_timeout_ms = 30'000;
    std::int64_t idle_timeout_ms = 75'000;
    std::int64_t poll_wait_ms = 50'000;
    bool compression = true;
  } http;

  struct Websocket {
    bool compression = true;
    std::uint64_t compression_min_bytes = 128;
    std::uint64_t compression_level = 6;
    std::int64_t ping_ms = 25'000;
    std::int64_t pong_timeout_ms = 10'000;
    std::int64_t close_timeout_ms = 5'000;
    std::int64_t message_timeout_ms = 60'000;
  } websocket;

  std::vector<AccessRule> access;

  struct Auth {
    std::vector<TokenKeys> tokens;
    std::vector<ApiKey> keys;
    std::int64_t leeway_ms = 60'000;
    std::int64_t authenticate_ms = 10'000;
    std::string cookie;
    std::string proxy_user_header;
    std::string proxy_groups_header;
    std::string proxy_name_header;
    std::string users_file;
    std::int64_t session_ms = 43'200'000;
    std::string cookie_secret_file;
  } auth;

  struct Cors {
    bool credentials = false;
    std::vector<std::string> headers;
  } cors;

  struct Web {
    std::string root;
    std::string content_security_policy;
  } web;

  struct Echo {
    bool enabled = true;
  } echo;

  struct Log {
    base::LogLevel level = base::LogLevel::info;
    base::LogFormat format = base::LogFormat::text;
    std::uint64_t lines_per_second = 100;
  } log;
};

}  // namespace roomcast::config
