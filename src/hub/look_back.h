#pragma once

#include <cstddef>
#include <cstdint>

namespace roomcast::hub {

/// The last messages up to an offset, removed ones not counted: for who is to begin with them.
struct LookBack {
  std::uint64_t before = 0;  ///< the offset of the last of them, or of a place behind it
  std::size_t messages = 0;  ///< not 0
  friend bool operator==(const LookBack&, const LookBack&) = default;
};

}  // namespace roomcast::hub
