#include "app/room_rules.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "config/room_rule.h"

namespace roomcast::app {

namespace {

hub::RoomSettings room_settings(const config::Config& config) {
  hub::RoomSettings settings;
  settings.history.messages = static_cast<std::size_t>(config.history.messages);
  settings.history.bytes = static_cast<std::size_t>(config.history.bytes);
  settings.history.age_ms = config.history.age_ms;
  settings.presence.grace_ms = config.presence.grace_ms;
  settings.presence.crowd = static_cast<std::size_t>(config.presence.crowd);
  return settings;
}

}  // namespace

std::size_t client_queue_bytes(const config::Config& config) {
  // Whoever is sent one of the largest messages while another is on its way is not slow yet.
  return static_cast<std::size_t>(std::max(config.limits.queue_bytes, 2 * config.limits.message_bytes));
}

hub::HubLimits hub_limits(const config::Config& config) {
  hub::HubLimits limits;
  // A page must not make a client too slow all by itself.
  limits.page_bytes = std::min(limits.page_bytes, client_queue_bytes(config) / 4);
  limits.history_bytes = static_cast<std::size_t>(config.history.total_bytes);
  // Rooms in use need their space even where nothing is kept of the past.
  constexpr std::size_t least_room_bytes = std::size_t{64} << 20U;
  limits.room_bytes = std::max(limits.history_bytes, least_room_bytes);
  return limits;
}

hub::RoomRules room_rules(const config::Config& config) {
  std::vector<hub::RoomRules::Rule> rules;
  rules.reserve(config.rooms.size());
  config::ConfigInRooms in_rooms(config);
  for (const config::RoomRule& rule : config.rooms)
    rules.push_back({rule.match, room_settings(in_rooms.with(rule))});
  return hub::RoomRules(room_settings(config), rules);
}

}  // namespace roomcast::app
