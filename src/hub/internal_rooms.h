#pragma once

#include <string>
#include <string_view>

namespace roomcast::hub {

// Rooms that servers which share their rooms have among themselves. Their names begin with a control
// character, which check_room_name refuses in the names that clients give.

/// Bans, mutes and revocations (app/shared_sanctions.h).
inline constexpr std::string_view sanctions_room =
    "\x01"
    "sanctions";
/// Calls of operators (app/command_bus.h).
inline constexpr std::string_view commands_room =
    "\x01"
    "commands";
/// Answers to such calls: with the number of the server that has made them, a room for each.
inline constexpr std::string_view answers_rooms_front =
    "\x01"
    "answers/";

[[nodiscard]] inline bool is_internal_room(std::string_view name) {
  return name.starts_with(sanctions_room.front());
}

}  // namespace roomcast::hub
