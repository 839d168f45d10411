#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/value.h"

namespace roomcast::config {

/// The keys of an element of `rooms` besides `match`: "history_messages" overrides history.messages. They
/// are those of the settings that the table marks as per room.
[[nodiscard]] std::vector<std::string> override_keys();

/// Reads one element of `rooms`.
[[nodiscard]] std::optional<Mistake> read_room_rule(const Table& table, RoomRule& rule);

/// `{ match = "chat/**", history_messages = 5 }`
[[nodiscard]] std::string rule_to_toml(const RoomRule& rule);

/// `general` as it is in the rooms that the rule is for.
[[nodiscard]] Config config_in_rooms(const RoomRule& rule, const Config& general);

}  // namespace roomcast::config
