#pragma once

#include "config/load.h"

namespace roomcast::app {

/// How texts in the configuration are judged by the parts that will read them: addresses, origins, networks.
[[nodiscard]] config::Checks configuration_checks();

}  // namespace roomcast::app
