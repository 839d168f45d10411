#include "part/settings.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "config/array_elements.h"

namespace roomcast::part {

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
  return limits;
}

hub::RoomSettings room_settings(const config::Config& config) {
  hub::RoomSettings settings{};
  settings.history.messages = static_cast<std::size_t>(config.history.messages);
  settings.history.bytes = static_cast<std::size_t>(config.history.bytes);
  settings.history.age_ms = config.history.age_ms;
  settings.presence.grace_ms = config.presence.grace_ms;
  settings.presence.crowd = static_cast<std::size_t>(config.presence.crowd);
  return settings;
}

hub::RoomRules room_rules(const config::Config& config) {
  std::vector<hub::RoomRules::Rule> rules;
  rules.reserve(config.rooms.size());
  config::ConfigInRooms in_rooms(config);
  for (const config::RoomRule& rule : config.rooms)
    rules.push_back({rule.match, room_settings(in_rooms.with(rule))});
  return hub::RoomRules(room_settings(config), rules);
}

}  // namespace roomcast::part
