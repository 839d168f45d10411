#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/value.h"

namespace roomcast::config {

/// One value of a TOML text and where it stands; tables are taken apart into dotted keys. An empty table
/// gives one entry of its own, with an Unsuitable value, so that nothing in the text goes unseen.
struct TomlEntry {
  std::string key;
  Value value;
  std::size_t line = 0;
  std::size_t column = 0;
};

struct TomlError {
  std::string message;
  std::size_t line = 0;  ///< 0: not known
  std::size_t column = 0;
};

/// The entries of `text` in its order, or the first thing that is not TOML. Never throws, whatever the text.
[[nodiscard]] base::Result<std::vector<TomlEntry>, TomlError> read_toml(std::string_view text);

}  // namespace roomcast::config
