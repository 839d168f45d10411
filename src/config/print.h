#pragma once

#include <string>

#include "config/load.h"

namespace roomcast::config {

/// The configuration in force as TOML that can be loaded again, each value with where it came from.
[[nodiscard]] std::string print_effective(const Loaded& loaded);

/// config/roomcast.toml: every key, commented out at its default, with what it means, takes, and how a change
/// of it is applied.
[[nodiscard]] std::string print_reference_toml();

/// The same as a Markdown table, for docs/configuration.md.
[[nodiscard]] std::string print_reference_markdown();

}  // namespace roomcast::config
