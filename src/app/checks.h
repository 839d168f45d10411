#pragma once

#include <optional>
#include <string>

#include "config/config.h"
#include "config/load.h"

namespace roomcast::app {

/// How texts in the configuration are judged by the parts that will read them: addresses, origins, networks.
[[nodiscard]] config::Checks configuration_checks();

/// What is wrong with a configuration although each setting by itself is sound: https without a certificate,
/// certificates that cannot be used, a page that cannot be read. Nothing if all is well.
[[nodiscard]] std::optional<std::string> check_whole(const config::Config& config);

}  // namespace roomcast::app
