#pragma once

#include <span>
#include <string_view>

#include "config/load.h"

namespace roomcast::app {

/// `roomcast store stats|check|export|import|backup|compact|recover`: looks at the store of durable history,
/// or changes it. `arguments` are those behind `store`; `sources` say where the configuration is read from
/// that names the store. Returns the exit code: 0, 1 if the store is not as it would have to be, 2 for wrong
/// usage.
[[nodiscard]] int run_store_command(std::span<const std::string_view> arguments, config::Sources sources);

/// What `roomcast store --help` prints.
[[nodiscard]] std::string_view store_help_text();

}  // namespace roomcast::app
