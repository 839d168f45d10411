#pragma once

#include <vector>

#include "access/identity.h"
#include "config/config.h"

namespace roomcast::auth {

/// Who the bearer of an API key is, with what its line permits.
[[nodiscard]] access::Profile key_profile(const config::ApiKey& key);
/// Those of all of auth.keys, in their order.
[[nodiscard]] std::vector<access::Profile> key_profiles(const config::Config& config);

}  // namespace roomcast::auth
