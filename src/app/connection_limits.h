#pragma once

#include <cstddef>
#include <cstdint>

#include "config/config.h"
#include "net/admission.h"

namespace roomcast::app {

/// How many connections there may be.
struct ConnectionLimits {
  net::AdmissionControl::Limits admission;
  bool short_of_descriptors = false;  ///< fewer than limits.connections, for want of descriptors
};

/// What `config` asks for, as far as `descriptors` (RLIMIT_NOFILE) allow: some are kept back for the reserve
/// and refusals, the listeners' connections for operation, files and the like. Does not set
/// bytes_per_address.
[[nodiscard]] ConnectionLimits connection_limits(const config::Config& config, std::uint64_t descriptors);

/// RLIMIT_NOFILE as it is now.
[[nodiscard]] std::uint64_t descriptor_limit();

}  // namespace roomcast::app
