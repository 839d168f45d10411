#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/load.h"

namespace roomcast::app {

/// How texts in the configuration are judged by the parts that will read them: addresses, origins, networks.
[[nodiscard]] config::Checks configuration_checks();

/// What is wrong with a configuration although each setting by itself is sound: https without a certificate,
/// certificates that cannot be used, a page that cannot be read. Nothing if all is well.
[[nodiscard]] std::optional<std::string> check_whole(const config::Config& config);

/// What starts all the same and is worth a word: certificates that have expired or are about to, and what
/// web.root holds that is left out. `now_ms` is since the epoch. For a configuration that check_whole finds
/// sound.
[[nodiscard]] std::vector<std::string> warnings(const config::Config& config, std::int64_t now_ms);

/// What to tell of variables that were passed over (config::Loaded), if there are any.
[[nodiscard]] std::optional<std::string> service_variables_hint(const std::vector<std::string>& names);

}  // namespace roomcast::app
