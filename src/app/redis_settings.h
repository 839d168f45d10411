#pragma once

#include <string_view>
#include <vector>

#include "app/redis_client.h"
#include "app/redis_examination.h"

namespace roomcast::app {

/// The value of `key` in what INFO says; empty if it has none.
[[nodiscard]] std::string_view info_value(std::string_view info, std::string_view key);

/// What is to be said of the settings of a server: of memory, persistence, replicas and buffers. `info` is
/// what INFO says.
[[nodiscard]] std::vector<RedisFinding> judge_redis_settings(RedisClient& client, std::string_view info);

}  // namespace roomcast::app
