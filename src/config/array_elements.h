#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/schema.h"
#include "config/value.h"

namespace roomcast::config {

/// Reads one element of `tls.certificates`.
[[nodiscard]] std::optional<ElementError> read_certificate(const Table& table, Certificate& certificate);

/// The keys of an element of `rooms` besides `match`: "history_messages" overrides history.messages. They
/// are those of the settings that the table marks as per room.
[[nodiscard]] std::vector<std::string> override_keys();

/// Reads one element of `rooms`.
[[nodiscard]] std::optional<ElementError> read_room_rule(const Table& table, RoomRule& rule);

/// `{ match = "chat/**", history_messages = 5 }`
[[nodiscard]] std::string rule_to_toml(const RoomRule& rule);

/// A configuration as it is in the rooms of one rule after the other, copied once for all of them.
class ConfigInRooms {
 public:
  /// `general` outlives this.
  explicit ConfigInRooms(const Config& general);
  /// Valid until the next call.
  [[nodiscard]] const Config& with(const RoomRule& rule);

 private:
  const Config& general_;
  Config overridden_;
  std::vector<const Setting*> different_;  // in `overridden_`
};

}  // namespace roomcast::config
