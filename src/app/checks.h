#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/load.h"

namespace roomcast::app {

/// Validators for texts in the configuration, by the code that will parse them: addresses, origins, networks.
[[nodiscard]] config::Checks configuration_checks();

/// The first error of a configuration of which each setting by itself is valid: https without a certificate,
/// certificates that cannot be used, a page that cannot be read. Nothing if there is none.
[[nodiscard]] std::optional<std::string> check_whole(const config::Config& config);

/// Warnings about a configuration that check_whole accepts: certificates that have expired or are about to,
/// those of access_warnings, store_warnings and redis_warnings, and files below web.root that are left out.
/// `now_ms` is since the epoch.
[[nodiscard]] std::vector<std::string> warnings(const config::Config& config, std::int64_t now_ms);

/// Warnings about access: that strangers can reach a server which lets everybody do everything, that users
/// are identified without any row that says what for, and what is configured to no effect. `urls`, separated
/// by spaces, is where the server listens.
[[nodiscard]] std::vector<std::string> access_warnings(const config::Config& config, std::string_view urls);

/// Warnings about history that is to be kept on a disk where there is no store.
[[nodiscard]] std::vector<std::string> store_warnings(const config::Config& config);

/// Warnings about settings of Redis where it is not used.
[[nodiscard]] std::vector<std::string> redis_warnings(const config::Config& config);

/// A hint about variables that were ignored (config::Loaded); nothing if there are none.
[[nodiscard]] std::optional<std::string> service_variables_hint(const std::vector<std::string>& names);

}  // namespace roomcast::app
