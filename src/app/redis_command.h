#pragma once

#include <span>
#include <string_view>

#include "config/load.h"

namespace roomcast::app {

/// `roomcast redis check`: examines the Redis that servers are to share, as they would use it, and says what
/// to change. `arguments` are those behind `redis`; `sources` say where the configuration is read from that
/// names it. Returns the exit code: 0, 1 if servers can't use it, 2 for wrong usage.
[[nodiscard]] int run_redis_command(std::span<const std::string_view> arguments, config::Sources sources);

}  // namespace roomcast::app
