#pragma once

#include <cstddef>
#include <string_view>

namespace roomcast::base {

/// The hash of all unordered containers whose keys are texts (tests/tidy keeps it so). Strangers choose most
/// of them: names of rooms, keys, addresses. It depends on a key that is drawn once for each process, so that
/// nobody can prepare names that all fall together. Also lets such maps be searched by std::string_view
/// without making a string.
struct StringHash {
  using is_transparent = void;
  // Not noexcept: libstdc++ keeps the hash of every entry then, and doesn't compute it again as a map grows.
  std::size_t operator()(std::string_view text) const;
};

}  // namespace roomcast::base
