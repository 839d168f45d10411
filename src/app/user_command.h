#pragma once

#include <span>
#include <string_view>

#include "config/load.h"

namespace roomcast::app {

/// `roomcast user add|passwd|remove|list`: changes the users file. `arguments` are those behind `user`;
/// `sources` say where the configuration is read from that names the file. Returns the exit code: 0, 1 if the
/// file or the user are not as they would have to be, 2 for wrong usage.
[[nodiscard]] int run_user_command(std::span<const std::string_view> arguments, config::Sources sources);

/// What `roomcast user --help` prints.
[[nodiscard]] std::string_view user_help_text();

}  // namespace roomcast::app
