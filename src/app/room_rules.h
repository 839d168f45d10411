#pragma once

#include <cstddef>

#include "config/config.h"
#include "hub/hub.h"
#include "hub/room_settings.h"

namespace roomcast::app {

/// What may wait for a client before it is too slow: `limits.queue_bytes`, or two of the largest messages.
[[nodiscard]] std::size_t client_queue_bytes(const config::Config& config);

/// What the hub keeps in all, and how much of the past it hands over at a time.
[[nodiscard]] hub::HubLimits hub_limits(const config::Config& config);

/// How each room is: `history` and `presence` in general, `rooms` where it is different.
[[nodiscard]] hub::RoomRules room_rules(const config::Config& config);

}  // namespace roomcast::app
