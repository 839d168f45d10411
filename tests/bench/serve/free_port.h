#pragma once

#include <cstdint>

namespace roomcast::bench {

/// A port of 127.0.0.1 that was free a moment ago, for servers that do not say which one they got for 0.
/// Throws std::runtime_error.
[[nodiscard]] std::uint16_t free_port();

}  // namespace roomcast::bench
