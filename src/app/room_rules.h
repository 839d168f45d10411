#pragma once

#include "config/config.h"
#include "hub/hub.h"
#include "hub/room_settings.h"

namespace roomcast::app {

/// What the hub keeps in all.
[[nodiscard]] hub::HubLimits hub_limits(const config::Config& config);

/// How each room is: `history` and `presence` in general, `rooms` where it is different.
[[nodiscard]] hub::RoomRules room_rules(const config::Config& config);

}  // namespace roomcast::app
