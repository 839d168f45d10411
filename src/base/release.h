#pragma once

#include <utility>

namespace roomcast::base {

/// Makes `value` what a new one is, and gives back the memory it had. `value = {}` does not: of a vector or a
/// string, also as a member of a struct, it assigns an empty list or a short string, for which the old memory
/// is kept.
template <class T>
void release(T& value) {
  const T old(std::move(value));
  value = T();
}

}  // namespace roomcast::base
