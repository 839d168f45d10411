#include "config/reload.h"

namespace roomcast::config {

std::vector<Change> changes(const Config& before, const Config& after) {
  std::vector<Change> out;
  for (const Setting& setting : settings()) {
    std::string old_value = to_toml(setting, before);
    std::string new_value = to_toml(setting, after);
    if (old_value != new_value) out.push_back({&setting, std::move(old_value), std::move(new_value)});
  }
  return out;
}

Config merge_reloadable(const Config& running, const Config& loaded) {
  Config merged = running;
  for (const Setting& setting : settings()) {
    if (setting.apply == Apply::reload) copy_setting(setting, loaded, merged);
  }
  return merged;
}

}  // namespace roomcast::config
