#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "attack/attack.h"

namespace roomcast::bench::attacks {

/// A client of `path` that does not read what it gets sends messages of two bytes, so many that they queue
/// up, and then pings, each of which has to be answered behind the queue.
[[nodiscard]] SwarmTally pings_behind_a_queue(const Arena& arena, std::string_view path, std::size_t pings);
/// Echo clients that do not read: messages of two bytes queue up for each.
[[nodiscard]] SwarmTally tiny_frames_unread(const Arena& arena, std::size_t clients);
/// Each connection leaves a compressed message unfinished: 100 bytes that inflate to 64 KiB - 1.
[[nodiscard]] SwarmTally unfinished_messages(const Arena& arena, std::size_t connections);
/// Compressed messages of 65,536 zeros into a room, as fast as the server takes them.
[[nodiscard]] SwarmTally compressed_zeros(const Arena& arena, std::size_t clients);
/// Compressed messages of 60,000 bytes that consist of DEFLATE blocks which bring their own codes and are
/// empty: nothing comes of them.
[[nodiscard]] SwarmTally empty_blocks(const Arena& arena, std::size_t clients);
/// Compressed zeros again, over roomcast.v1, as JSON of an unknown type.
[[nodiscard]] SwarmTally compressed_refusals(const Arena& arena, std::size_t clients);
/// roomcast.v1 messages of an unknown type, which are answered with an error each.
[[nodiscard]] SwarmTally refused_json(const Arena& arena, std::size_t clients, bool reads);
/// Handshakes with an Origin of 15,000 bytes that is refused and logged.
[[nodiscard]] SwarmTally refused_origins(const Arena& arena);

}  // namespace roomcast::bench::attacks
