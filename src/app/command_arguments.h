#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace roomcast::app {

/// The arguments of a command behind its name: flags in any order, and what is none of them.
struct CommandArguments {
  std::vector<std::string> words;
  std::vector<std::pair<std::string, std::string>> values;  ///< flags with their values, in order
  std::vector<std::string> switches;                        ///< flags that take no value

  [[nodiscard]] bool has(std::string_view flag) const;
  /// The last value of `flag`; empty if it was not given.
  [[nodiscard]] std::string value(std::string_view flag) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view flag) const;
};

/// `--flag VALUE` and `--flag=VALUE` are the same. An error names what is not known.
[[nodiscard]] base::Result<CommandArguments> read_arguments(std::span<const std::string_view> arguments,
                                                            std::span<const std::string_view> with_value,
                                                            std::span<const std::string_view> switches);

}  // namespace roomcast::app
