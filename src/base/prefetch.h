#pragma once

#include <cstddef>

namespace roomcast::base {

/// Has the processor fetch `bytes` bytes at `memory`, which need not be readable, and does not wait for them.
/// For what is soon touched and too scattered for the processor to guess.
inline void prefetch(const void* memory, std::size_t bytes = 1) {
  constexpr std::size_t line_bytes = 64;
  const char* const begin = static_cast<const char*>(memory);
  for (std::size_t at = 0; at < bytes; at += line_bytes)
    __builtin_prefetch(begin + at);
}

}  // namespace roomcast::base
