#pragma once

#include "access/policy.h"
#include "base/result.h"
#include "config/config.h"

namespace roomcast::part {

// What the configuration means to those who decide about access.

/// The rows of `access`, ready for use. An error names the row.
[[nodiscard]] base::Result<access::Policy> access_policy(const config::Config& config);

}  // namespace roomcast::part
