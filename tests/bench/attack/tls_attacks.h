#pragma once

#include <cstddef>

#include "attack/attack.h"

namespace roomcast::bench::attacks {

/// WebSocket clients over TLS that send a byte in a record, thousands in one piece, over and over.
[[nodiscard]] SwarmTally tiny_tls_records(const Arena& arena, std::size_t connections);
/// The same with as many key updates between any two bytes as the server puts up with; each wants an answer.
[[nodiscard]] SwarmTally tls_key_updates(const Arena& arena, std::size_t connections);

}  // namespace roomcast::bench::attacks
