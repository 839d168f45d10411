#pragma once

#include <cstddef>

#include "attack/attack.h"

namespace roomcast::bench::attacks {

/// Does nothing, for as long as the others take.
[[nodiscard]] SwarmTally nothing(const Arena& arena);
/// Connections that begin a TLS handshake and leave with the server's answer: the server pays for its
/// signature, the attacker for nothing.
[[nodiscard]] SwarmTally tls_handshakes(const Arena& arena, std::size_t at_once);
/// Connections that send nothing; those that are cut come back.
[[nodiscard]] SwarmTally silent_sockets(const Arena& arena, std::size_t connections);
/// The server is stopped for half of the time (SIGSTOP), as a machine does that is suspended or swaps.
[[nodiscard]] SwarmTally paused_server(const Arena& arena);

}  // namespace roomcast::bench::attacks
