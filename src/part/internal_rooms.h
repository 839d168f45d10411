#pragma once

#include <cstddef>
#include <vector>

#include "hub/room_settings.h"

namespace roomcast::part {

/// How many messages the room of sanctions keeps, given limits.sanctions_bytes. A sanction takes more than
/// 512 bytes of that, so that those in force are at most a quarter of the messages.
[[nodiscard]] constexpr std::size_t sanction_changes_kept(std::size_t sanctions_bytes) {
  return sanctions_bytes / 128 + 1'024;
}

/// The rules of the rooms that servers have among themselves (hub/internal_rooms.h): of what the engine
/// keeps, or of what is in memory. They come before those of other rooms.
[[nodiscard]] std::vector<hub::RoomRules::Rule> engine_rules_of_internal_rooms(std::size_t sanctions_bytes);
[[nodiscard]] std::vector<hub::RoomRules::Rule> memory_rules_of_internal_rooms(std::size_t sanctions_bytes);

}  // namespace roomcast::part
