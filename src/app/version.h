#pragma once

#include <string_view>

namespace roomcast::app {

/// What --version says: the version of the CMake project.
inline constexpr std::string_view version = ROOMCAST_VERSION;

}  // namespace roomcast::app
