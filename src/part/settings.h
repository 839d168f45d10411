#pragma once

#include <cstddef>

#include "access/rates.h"
#include "config/config.h"
#include "http/limits.h"
#include "hub/hub_parts.h"
#include "hub/room_settings.h"
#include "service/checks.h"
#include "service/room_rules.h"
#include "session/session_table.h"

namespace roomcast::part {

// What the configuration means to the components that parts use. Where a value is derived from others, it is
// derived here and nowhere else.

[[nodiscard]] http::ParserLimits parser_limits(const config::Config& config);
[[nodiscard]] http::ConnectionSettings connection_settings(const config::Config& config);
[[nodiscard]] session::SessionSettings session_settings(const config::Config& config);
[[nodiscard]] service::Limits service_limits(const config::Config& config);

/// Bytes that may be queued for a client before it counts as too slow: `limits.queue_bytes`, or two of the
/// largest messages if that is more.
[[nodiscard]] std::size_t client_queue_bytes(const config::Config& config);

[[nodiscard]] access::Rates::Limits rate_limits(const config::Config& config);

/// How much the hub retains in all, and the size of a page of history.
[[nodiscard]] hub::HubLimits hub_limits(const config::Config& config);

/// The settings of a room that no rule of `rooms` matches.
[[nodiscard]] hub::RoomSettings room_settings(const config::Config& config);

/// What may be done in each room: `room_defaults`, and what `rooms` overrides of them.
[[nodiscard]] service::RoomRules service_rules(const config::Config& config);

/// The settings of each room: `history` and `presence`, and what `rooms` overrides of them. Of rooms with
/// durable history these are the limits of what is on the disk.
[[nodiscard]] hub::RoomRules room_rules(const config::Config& config);
/// The same, but for how much of rooms with durable history is retained in memory: see `store.ring_messages`
/// and `store.ring_bytes`.
[[nodiscard]] hub::RoomRules memory_rules(const config::Config& config);

}  // namespace roomcast::part
