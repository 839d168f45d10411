#pragma once

#include <string>

#include "app/command_line.h"
#include "base/result.h"
#include "config/config.h"

namespace roomcast::app {

/// What --explain-access prints: what a client may do in a room according to `config`, and why. An error says
/// which argument is wrong.
[[nodiscard]] base::Result<std::string> explain_access(const config::Config& config,
                                                       const CommandLine::ExplainAccess& question);

}  // namespace roomcast::app
