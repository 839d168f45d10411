#include "app/connection_limits.h"

#include <sys/resource.h>

#include <algorithm>

namespace roomcast::app {

namespace {

// For short answers where limits.connections is used up, and for admin_listen.
constexpr std::size_t reserved_descriptors = 32;
constexpr std::size_t operations = 64;
// For saying to an address that it has as many as it may.
constexpr std::size_t refusals = 16;
constexpr std::size_t refusals_per_address = 8;
// Those, listeners, epoll, signals, the log, files that are read.
constexpr std::uint64_t kept_descriptors = 80;
// A request may take a few round trips to come, with TLS; and in a storm no newcomer pushes out another.
constexpr std::int64_t silent_grace_ms = 1'000;

}  // namespace

ConnectionLimits connection_limits(const config::Config& config, std::uint64_t descriptors) {
  ConnectionLimits limits;
  limits.admission.reserve = reserved_descriptors;
  limits.admission.refusals = refusals;
  limits.admission.refusals_per_address = refusals_per_address;
  limits.admission.grace_ms = silent_grace_ms;
  limits.admission.ipv6_prefix_bits = static_cast<unsigned>(config.limits.ipv6_prefix);
  limits.admission.operations = config.admin_listen.empty() ? 0 : operations;
  // Where there are few, most of them are for clients all the same.
  const std::uint64_t kept = std::min(kept_descriptors + limits.admission.operations, descriptors / 4);
  const std::uint64_t left = std::max<std::uint64_t>(descriptors - kept, 1);
  limits.short_of_descriptors = config.limits.connections > left;
  const std::uint64_t all = std::min(config.limits.connections, left);
  const std::uint64_t per_address = config.limits.connections_per_address;
  limits.admission.connections = static_cast<std::size_t>(all);
  limits.admission.connections_per_address =
      static_cast<std::size_t>(per_address == 0 ? std::max<std::uint64_t>(all / 4, 1) : per_address);
  if (config.limits.handshakes_per_address != 0)
    limits.admission.handshakes_per_address = static_cast<std::size_t>(config.limits.handshakes_per_address);
  return limits;
}

std::uint64_t descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
  return limit.rlim_cur;
}

}  // namespace roomcast::app
