#pragma once

#include <cstddef>
#include <utility>

namespace roomcast::base {

/// Has the processor fetch `bytes` bytes at `memory`, which need not be readable, and does not wait for them.
/// For what is soon touched and too scattered for the processor to guess.
inline void prefetch(const void* memory, std::size_t bytes = 1) {
  constexpr std::size_t line_bytes = 64;
  const char* const begin = static_cast<const char*>(memory);
  for (std::size_t at = 0; at < bytes; at += line_bytes)
    __builtin_prefetch(begin + at);
}

/// Empties a string, a container or a struct with such members, and gives their memory back, which neither
/// clear() nor assigning {} does: both keep the capacity of a string or vector for what comes next.
template <class T>
void release(T& value) {
  { const T taken(std::move(value)); }
  value = T();
}

}  // namespace roomcast::base
