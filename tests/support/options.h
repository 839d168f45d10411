#pragma once

#include <algorithm>
#include <functional>
#include <string_view>
#include <vector>

namespace roomcast::test {

/// `--name VALUE` on the command line of a program, and what takes the value.
struct Option {
  std::string_view name;
  std::function<void(const char* value)> take;
};

/// Gives each value to its option. False if a word is no option's name, or has no value.
inline bool read_options(int count, char** words, const std::vector<Option>& options) {
  for (int i = 1; i < count; i += 2) {
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const Option& known) { return known.name == words[i]; });
    if (option == options.end() || i + 1 == count) return false;
    option->take(words[i + 1]);
  }
  return true;
}

}  // namespace roomcast::test
