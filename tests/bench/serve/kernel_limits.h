#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace roomcast::bench {

/// MemAvailable: what programs may still take before the machine swaps or kills; -1 when unknown.
[[nodiscard]] std::int64_t available_bytes();

/// The descriptors that a process may have at most (RLIMIT_NOFILE, the hard limit).
[[nodiscard]] std::size_t descriptor_limit();

/// The ports that connections to one address and port may come from (net.ipv4.ip_local_port_range).
[[nodiscard]] std::size_t ports_to_connect_from();

/// A setting of the kernel that bounds how many connections there can be.
struct KernelLimit {
  std::string name;   ///< as sysctl has it
  std::string value;  ///< as it is in force; words apart by one space
};

/// All of them that this machine has, RLIMIT_NOFILE first.
[[nodiscard]] std::vector<KernelLimit> kernel_limits();

}  // namespace roomcast::bench
