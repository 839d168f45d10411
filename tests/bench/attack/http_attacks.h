#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "attack/attack.h"

namespace roomcast::bench::attacks {

/// Batches of one message of `bytes` for `rooms` rooms, all different, or one room that is named so many
/// times.
struct BatchLoad {
  std::size_t connections = 16;
  std::uint64_t pipelined = 4;
  std::size_t rooms = 1000;
  std::string_view one_room{};  ///< the one that is named again and again; empty: all differ
  std::size_t bytes = 1;
};
[[nodiscard]] SwarmTally batches(const Arena& arena, const BatchLoad& load);

/// Batches of nearly 1 MiB (`limits.body_bytes`) in which there is next to nothing to publish.
enum class HollowBatch : std::uint8_t {
  empty_rooms,  ///< tens of thousands of messages for no rooms at all
  members,      ///< one message with 100,000 unknown members
  values,       ///< one unknown member, a list of half a million numbers
  long_key,     ///< 1,000 rooms, and one key of a megabyte for all of them
};
[[nodiscard]] SwarmTally hollow_batches(const Arena& arena, std::size_t connections, HollowBatch what);

/// The names of the rooms collide in an unseeded hash table, so that each look-up passes all before it.
[[nodiscard]] SwarmTally colliding_rooms(const Arena& arena);
/// Tiny publishes that each have an idempotency key of their own, 55,000 and on. With `collide` the keys do.
[[nodiscard]] SwarmTally keyed_publishes(const Arena& arena, bool collide);
/// POST bodies that come in chunks of one byte each.
[[nodiscard]] SwarmTally tiny_chunks(const Arena& arena, std::size_t connections);
/// POST bodies of 1 MiB whose second half does not come.
[[nodiscard]] SwarmTally unfinished_bodies(const Arena& arena, std::size_t connections);
/// Requests without a body, pipelined: `filling` bytes of header lines in each.
[[nodiscard]] SwarmTally pipelined_requests(const Arena& arena, std::size_t connections,
                                            std::string_view method, std::string_view path,
                                            std::size_t filling);
/// Each request names a room that never was: `method` HEAD or GET.
[[nodiscard]] SwarmTally rooms_that_never_were(const Arena& arena, std::string_view method);
/// Each batch opens 1,000 rooms that never were.
[[nodiscard]] SwarmTally rooms_by_the_thousand(const Arena& arena);
/// 250 POSTs of 64 KB in one piece, then the same once they have been answered.
[[nodiscard]] SwarmTally burst_into(const Arena& arena, std::string_view room);

}  // namespace roomcast::bench::attacks
