#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/schema.h"

namespace roomcast::config {

/// One key whose value differs between two configurations.
struct Change {
  const Setting* setting;
  std::string before;  ///< as TOML
  std::string after;

  [[nodiscard]] bool needs_restart() const { return setting->apply == Apply::restart; }
};

/// What differs, in the order of the table.
[[nodiscard]] std::vector<Change> changes(const Config& before, const Config& after);

/// What a reload makes of `running`: `loaded` where a reload applies it, `running` where it takes a restart.
[[nodiscard]] Config merge_reloadable(const Config& running, const Config& loaded);

}  // namespace roomcast::config
