#pragma once

#include <cstddef>

#include "attack/attack.h"

namespace roomcast::bench::attacks {

/// Polls whose answers are compressed, over a past of 1 MiB, each from another cursor.
[[nodiscard]] SwarmTally compressed_polls(const Arena& arena, std::size_t connections);
/// roomcast.v1 clients with compression that publish control characters, which JSON makes six times as long,
/// and read them.
[[nodiscard]] SwarmTally escaped_messages(const Arena& arena, std::size_t clients);
/// roomcast.v1 clients with compression that come, are given a past of 1 MiB, and come again.
[[nodiscard]] SwarmTally pasts_of_a_room(const Arena& arena, std::size_t clients);
/// roomcast.v1 clients with compression that ask for a page of the same past, and again when they have it.
[[nodiscard]] SwarmTally history_asks(const Arena& arena, std::size_t clients);
/// Clients that join with a name of their own a room where they get its presence, and leave again.
[[nodiscard]] SwarmTally watchers_by_the_hundred(const Arena& arena, std::size_t clients);
/// Polls that wait in a room of large messages, with one publish for each dozen of them.
[[nodiscard]] SwarmTally waiting_polls(const Arena& arena, std::size_t connections);

}  // namespace roomcast::bench::attacks
