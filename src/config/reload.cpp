#include "config/reload.h"

namespace roomcast::config {

std::vector<Change> changes(const Config& before, const Config& after) {
  std::vector<Change> out;
  for (const Setting& setting : settings()) {
    if (to_toml(setting, before, Secrets::shown) == to_toml(setting, after, Secrets::shown)) continue;
    out.push_back({&setting, to_toml(setting, before), to_toml(setting, after)});
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
