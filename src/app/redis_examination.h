#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/redis_client.h"
#include "redis/connection.h"

namespace roomcast::app {

/// What an examination has found in one respect.
struct RedisFinding {
  enum class Level : std::uint8_t {
    ok,
    unknown,  ///< it could not be found out: the user may not ask for it
    warning,  ///< servers run with it, but messages may be lost, or publishes be refused
    failure,  ///< servers can't run with it
  };
  Level level = Level::ok;
  std::string what;    ///< one or two words
  std::string found;   ///< what it is like
  std::string advice;  ///< what to do; empty where nothing is
};

/// Looks at one Redis server as servers would use it: connects twice, tries every command and script on keys
/// of its own below `prefix`, which it removes, and compares the settings with what is recommended
/// (docs/scaling.md). What depends on something that has failed is left out.
[[nodiscard]] std::vector<RedisFinding> examine_redis(RedisClientLoop& loop,
                                                      const redis::Connection::Options& options,
                                                      const std::string& prefix);

}  // namespace roomcast::app
