#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/load.h"

namespace roomcast::app {

/// What was asked for on the command line.
struct CommandLine {
  enum class Action : std::uint8_t {
    run,
    check_config,
    print_config,
    print_reference_toml,
    print_reference_markdown,
    explain_access,
    version,
    help,
  };
  /// --explain-access USER ROOM, and each --role
  struct ExplainAccess {
    std::string user;
    std::string room;
    std::vector<std::string> roles;
  };
  Action action = Action::run;
  ExplainAccess explain_access;
  std::optional<std::string> config_file;
  std::vector<config::Override> defaults;   ///< --default
  std::vector<config::Override> overrides;  ///< in rising order, as config::Sources takes them
};

/// Reads the arguments after the program's name. `--option VALUE` and `--option=VALUE` are the same. Of
/// several actions the last one counts, but --help wins. All --listen together replace the configured list.
[[nodiscard]] base::Result<CommandLine> parse_command_line(std::span<const std::string_view> arguments);

/// What --help prints, with a newline at the end.
[[nodiscard]] std::string_view help_text();

}  // namespace roomcast::app
