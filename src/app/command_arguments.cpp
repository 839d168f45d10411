#include "app/command_arguments.h"

#include <algorithm>
#include <iterator>

#include "config/spelling.h"

namespace roomcast::app {

namespace {

bool contains(std::span<const std::string_view> list, std::string_view one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

}  // namespace

bool CommandArguments::has(std::string_view flag) const {
  return std::find(switches.begin(), switches.end(), flag) != switches.end();
}

std::string CommandArguments::value(std::string_view flag) const {
  const std::vector<std::string> given = all(flag);
  return given.empty() ? std::string() : given.back();
}

std::vector<std::string> CommandArguments::all(std::string_view flag) const {
  std::vector<std::string> found;
  for (const auto& [name, value] : values) {
    if (name == flag) found.push_back(value);
  }
  return found;
}

base::Result<CommandArguments> read_arguments(std::span<const std::string_view> arguments,
                                              std::span<const std::string_view> with_value,
                                              std::span<const std::string_view> switches) {
  CommandArguments read;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (!argument.starts_with("-")) {
      read.words.emplace_back(argument);
      continue;
    }
    const std::size_t equals = argument.find('=');
    const std::string_view flag = argument.substr(0, equals);
    if (contains(switches, flag) && equals == std::string_view::npos) {
      read.switches.emplace_back(flag);
    } else if (contains(switches, flag)) {
      return base::Error{std::string(flag) + " takes no value"};
    } else if (!contains(with_value, flag)) {
      std::vector<std::string> known(with_value.begin(), with_value.end());
      known.insert(known.end(), switches.begin(), switches.end());
      return base::Error{"unknown flag " + std::string(flag) + config::did_you_mean(flag, known)};
    } else if (equals != std::string_view::npos) {
      read.values.emplace_back(flag, argument.substr(equals + 1));
    } else if (i + 1 == arguments.size()) {
      return base::Error{std::string(flag) + " needs a value"};
    } else {
      read.values.emplace_back(flag, arguments[++i]);
    }
  }
  return read;
}

}  // namespace roomcast::app
