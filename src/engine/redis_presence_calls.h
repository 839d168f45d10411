#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/redis_calls.h"
#include "engine/redis_partition.h"
#include "engine/redis_scripts.h"
#include "redis/value.h"

namespace roomcast::engine {

/// A call about who is in a room. It belongs to no term: what it writes is the calling server's own, and
/// written anew whenever it may be lost.
struct RedisPresenceCall {
  enum class What : std::uint8_t {
    announce,  ///< writes `node`'s field, or removes it if `value` is empty; distributes `news`
    drop,      ///< removes `node`'s field if it still begins with `value`; distributes `news` then
    read,      ///< answers with `node`'s field, or all of them: names and values by turns
    lease,     ///< says that `node` is there; answers for it, as it was before, and then for each of `others`
               ///< "1" if it is
  };
  What what = What::read;
  std::string room{};  ///< not of a lease
  std::string node{};  ///< empty: all
  std::string value{};
  std::string news{};                 ///< empty: nothing is distributed
  std::vector<std::string> others{};  ///< names of nodes

  static constexpr RedisPartition lease_partition = 0;
  /// For so long a field's room is kept by the last write of any server (RedisPresence::refresh_ms).
  static constexpr std::int64_t field_seconds = 21'600;
  static constexpr std::int64_t lease_seconds = 6;

  [[nodiscard]] RedisPartition partition() const {
    return what == What::lease ? lease_partition : redis_partition_of(room);
  }
  [[nodiscard]] std::size_t bytes() const {
    constexpr std::size_t overhead = 512;
    constexpr std::size_t bytes_per_node = 64;
    return overhead + value.size() + news.size() + others.size() * bytes_per_node;
  }
  [[nodiscard]] RedisScript script() const {
    return what == What::lease ? RedisScript::lease : RedisScript::presence;
  }
  /// The command that calls the script. `publish` is PUBLISH or SPUBLISH.
  [[nodiscard]] std::string command(std::string_view prefix, std::string_view sha1,
                                    std::string_view publish) const;
};

/// Refers to the reply.
using RedisPresenceAnswer = std::vector<std::string_view>;
[[nodiscard]] base::Result<RedisPresenceAnswer, RedisFault> read_presence_answer(const redis::Value& reply);

}  // namespace roomcast::engine
