#include "part/internal_rooms.h"

#include <cstdint>
#include <string>

#include "hub/internal_rooms.h"

namespace roomcast::part {

namespace {

// A server that is away for longer misses commands.
constexpr std::int64_t commands_age_ms = 300'000;
constexpr std::size_t commands_kept = 10'000;
constexpr std::size_t commands_bytes = std::size_t{16} << 20U;

hub::RoomSettings settings_of(const hub::HistoryLimits& history) {
  hub::RoomSettings settings{};
  settings.history = history;
  return settings;
}

/// In memory are only so many; the rest is read from the engine.
hub::RoomSettings in_memory(std::size_t kept) {
  hub::RoomSettings settings = settings_of({64, std::size_t{64} << 10U, commands_age_ms});
  settings.kept_messages = kept;
  return settings;
}

std::vector<hub::RoomRules::Rule> rules_of(const hub::RoomSettings& sanctions,
                                           const hub::RoomSettings& commands,
                                           const hub::RoomSettings& answers) {
  return {{std::string(hub::sanctions_room), sanctions},
          {std::string(hub::commands_room), commands},
          {std::string(hub::answers_rooms_front) + "*", answers}};
}

}  // namespace

std::vector<hub::RoomRules::Rule> engine_rules_of_internal_rooms(std::size_t sanctions_bytes) {
  // Without an end: an age of 0.
  return rules_of(settings_of({sanction_changes_kept(sanctions_bytes), 4 * sanctions_bytes, 0}),
                  settings_of({commands_kept, commands_bytes, commands_age_ms}), settings_of({0, 0, 60'000}));
}

std::vector<hub::RoomRules::Rule> memory_rules_of_internal_rooms(std::size_t sanctions_bytes) {
  return rules_of(in_memory(sanction_changes_kept(sanctions_bytes)), in_memory(commands_kept),
                  settings_of({0, 0, 60'000}));
}

}  // namespace roomcast::part
