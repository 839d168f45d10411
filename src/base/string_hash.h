#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace roomcast::base {

/// Lets unordered maps with std::string keys be searched by std::string_view without making a string.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

}  // namespace roomcast::base
