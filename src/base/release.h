#pragma once

#include <utility>

namespace roomcast::base {

/// Empties a string, a container or a struct with such members, and gives their memory back, which neither
/// clear() nor assigning {} does: both keep the capacity of a string or vector for what comes next.
template <class T>
void release(T& value) {
  { const T taken(std::move(value)); }
  value = T();
}

}  // namespace roomcast::base
