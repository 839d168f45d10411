#pragma once

#include <sys/types.h>

#include <cstdint>

namespace roomcast::bench {

/// CPU time so far of all threads of a process and of its children's processes that are listed below it in
/// /proc (nginx works in workers), user and system; -1 when it cannot be read.
[[nodiscard]] std::int64_t cpu_ns(pid_t pid);

/// Bytes of the process's memory (and of its children's) that lie in RAM and are not files; -1 when unknown.
[[nodiscard]] std::int64_t resident_bytes(pid_t pid);

/// Bytes the kernel holds for sockets on the whole machine: slab (reclaimable and not), socket buffers. What
/// else goes on in the machine is in it too.
[[nodiscard]] std::int64_t kernel_socket_bytes();

}  // namespace roomcast::bench
