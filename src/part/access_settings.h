#pragma once

#include <string>
#include <vector>

#include "access/identity.h"
#include "access/permission.h"
#include "access/policy.h"
#include "base/result.h"
#include "config/config.h"

namespace roomcast::part {

// What the configuration means to those who decide about access.

/// The set that `words` name; they have been checked.
[[nodiscard]] access::PermissionSet permissions(const std::vector<std::string>& words);

/// The rows of `access`, ready for use. An error names the row.
[[nodiscard]] base::Result<access::Policy> access_policy(const config::Config& config);

/// Who the bearer of the key is.
[[nodiscard]] access::Profile key_profile(const config::ApiKey& key);
/// Those of all of auth.keys, in their order.
[[nodiscard]] std::vector<access::Profile> key_profiles(const config::Config& config);

}  // namespace roomcast::part
