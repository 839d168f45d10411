#include "part/settings.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "config/array_elements.h"
#include "part/internal_rooms.h"

namespace roomcast::part {

namespace {

service::RoomRule service_rule(const config::Config& config) {
  const config::Config::RoomDefaults& room = config.room_defaults;
  service::RoomRule rule;
  rule.publish_only_keys = room.publish_only_keys;
  rule.members_max = room.members_max;
  rule.message_bytes = room.message_bytes;
  rule.messages_per_second = room.messages_per_second;
  rule.slow_mode_ms = room.slow_mode_ms;
  rule.echo = room.echo;
  return rule;
}

/// The settings of a room with what of its history is in memory.
hub::RoomSettings memory_settings(const config::Config& config) {
  hub::RoomSettings settings = room_settings(config);
  if (settings.durability == hub::Durability::none) return settings;
  hub::HistoryLimits& history = settings.history;
  settings.kept_messages = history.messages;
  history.messages = std::min(history.messages, static_cast<std::size_t>(config.store.ring_messages));
  history.bytes = std::min(history.bytes, static_cast<std::size_t>(config.store.ring_bytes));
  return settings;
}

/// A rule for each of `rooms`, each with what `settings_of` makes of the configuration with it; where servers
/// share their rooms `internal_rules` before them.
template <class SettingsOf, class InternalRules>
hub::RoomRules rules_of(const config::Config& config, const SettingsOf& settings_of,
                        const InternalRules& internal_rules) {
  std::vector<hub::RoomRules::Rule> rules;
  if (config.engine == config::EngineKind::redis)
    rules = internal_rules(static_cast<std::size_t>(config.limits.sanctions_bytes));
  rules.reserve(rules.size() + config.rooms.size());
  config::ConfigInRooms in_rooms(config);
  for (const config::RoomRule& rule : config.rooms)
    rules.push_back({rule.match, settings_of(in_rooms.with(rule))});
  return hub::RoomRules(settings_of(config), rules);
}

}  // namespace

http::ParserLimits parser_limits(const config::Config& config) {
  http::ParserLimits limits{};
  limits.header_bytes = static_cast<std::size_t>(config.limits.header_bytes);
  limits.header_count = static_cast<std::size_t>(config.limits.header_count);
  limits.uri_bytes = static_cast<std::size_t>(config.limits.uri_bytes);
  limits.body_bytes = static_cast<std::size_t>(config.limits.body_bytes);
  return limits;
}

http::ConnectionSettings connection_settings(const config::Config& config) {
  http::ConnectionSettings settings{};
  settings.head_ms = config.http.head_timeout_ms;
  settings.body_ms = config.http.body_timeout_ms;
  settings.idle_ms = config.http.idle_timeout_ms;
  return settings;
}

session::SessionSettings session_settings(const config::Config& config) {
  session::SessionSettings settings{};
  settings.ping_ms = config.websocket.ping_ms;
  settings.rooms_per_connection = static_cast<std::size_t>(config.limits.rooms_per_connection);
  settings.drain_ms = config.drain_ms;
  settings.leeway_ms = config.auth.leeway_ms;
  settings.authenticate_ms = config.auth.authenticate_ms;
  return settings;
}

service::Limits service_limits(const config::Config& config) {
  return {config.limits.message_bytes, config.limits.json_depth};
}

std::size_t client_queue_bytes(const config::Config& config) {
  // A client that is sent a second message of the largest size while the first is on its way is not slow yet.
  return static_cast<std::size_t>(std::max(config.limits.queue_bytes, 2 * config.limits.message_bytes));
}

hub::HubLimits hub_limits(const config::Config& config) {
  hub::HubLimits limits{};
  // A page must not make a client too slow all by itself.
  limits.page_bytes = std::min(limits.page_bytes, client_queue_bytes(config) / 4);
  limits.history_bytes = static_cast<std::size_t>(config.history.total_bytes);
  // Rooms with members take memory even where no history is retained.
  constexpr std::size_t least_room_bytes = std::size_t{64} << 20U;
  limits.room_bytes = std::max(limits.history_bytes, least_room_bytes);
  // The engine answers in time itself, and what it has to say is better than nothing.
  constexpr std::int64_t after_engine_ms = 2'000;
  limits.engine_ms = std::max(limits.engine_ms, config.store.ack_timeout_ms + after_engine_ms);
  // That an answer of Redis is late is noticed after three seconds (redis::Link), and then told at once.
  constexpr std::int64_t after_redis_ms = 4'000;
  if (config.engine == config::EngineKind::redis) limits.engine_ms = config.redis.publish_ms + after_redis_ms;
  return limits;
}

hub::RoomSettings room_settings(const config::Config& config) {
  hub::RoomSettings settings{};
  settings.history.messages = static_cast<std::size_t>(config.history.messages);
  settings.history.bytes = static_cast<std::size_t>(config.history.bytes);
  settings.history.age_ms = config.history.age_ms;
  settings.presence.grace_ms = config.presence.grace_ms;
  settings.presence.crowd = static_cast<std::size_t>(config.presence.crowd);
  settings.presence.hides_members = config.room_defaults.hidden_members;
  // In the order of hub::Durability.
  if (!config.store.path.empty())
    settings.durability = hub::Durability{static_cast<std::uint8_t>(config.history.durability)};
  return settings;
}

access::Rates::Limits rate_limits(const config::Config& config) {
  const config::Config::Rates& rates = config.rates;
  access::Rates::Limits limits;
  // In the order of access::Resource.
  limits.address = {rates.address_connects_per_second, rates.address_requests_per_second,
                    rates.address_joins_per_second, rates.address_publishes_per_second,
                    rates.address_publish_bytes_per_second};
  limits.user = {rates.user_connects_per_second, rates.user_requests_per_second, rates.user_joins_per_second,
                 rates.user_publishes_per_second, rates.user_publish_bytes_per_second};
  limits.connection = {0, 0, rates.connection_joins_per_second, rates.connection_publishes_per_second,
                       rates.connection_publish_bytes_per_second};
  limits.burst_ms = rates.burst_ms;
  limits.connections_per_user = config.limits.connections_per_user;
  limits.table_bytes = static_cast<std::size_t>(rates.table_bytes);
  limits.ipv6_prefix_bits = static_cast<unsigned>(config.limits.ipv6_prefix);
  return limits;
}

service::RoomRules service_rules(const config::Config& config) {
  std::vector<service::RoomRules::Of> rules;
  rules.reserve(config.rooms.size());
  config::ConfigInRooms in_rooms(config);
  for (const config::RoomRule& rule : config.rooms)
    rules.push_back({rule.match, service_rule(in_rooms.with(rule))});
  return {service_rule(config), rules};
}

hub::RoomRules room_rules(const config::Config& config) {
  return rules_of(config, room_settings, engine_rules_of_internal_rooms);
}

hub::RoomRules memory_rules(const config::Config& config) {
  return rules_of(config, memory_settings, memory_rules_of_internal_rooms);
}

}  // namespace roomcast::part
