#pragma once

#include <cstddef>
#include <utility>

namespace roomcast::base {

/// Prefetches `bytes` bytes at `memory`, which need not be readable, without waiting: for data that is needed
/// soon and too scattered for the hardware prefetcher.
inline void prefetch(const void* memory, std::size_t bytes = 1) {
  constexpr std::size_t line_bytes = 64;
  const char* const begin = static_cast<const char*>(memory);
  for (std::size_t at = 0; at < bytes; at += line_bytes)
    __builtin_prefetch(begin + at);
}

/// Empties a string, a container or a struct with such members and releases their memory. clear() and
/// assigning {} do not: they keep the capacity of strings and vectors.
template <class T>
void release(T& value) {
  { const T taken(std::move(value)); }
  value = T();
}

}  // namespace roomcast::base
