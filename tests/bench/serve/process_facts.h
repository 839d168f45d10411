#pragma once

#include <sys/types.h>

#include <cstdint>

namespace roomcast::bench {

/// CPU time so far, user and system, of all threads of a process, ended ones too, and of the processes below
/// it that live (nginx works in workers); to the nanosecond, as the scheduler counts it. -1 when there is no
/// such process.
[[nodiscard]] std::int64_t cpu_ns(pid_t pid);

/// Waits, for 20 ms at most, until the process sleeps: the kernel enters CPU time into its books when a
/// process stops running, or else at the next tick. Between the two, `cpu_ns` lags by up to 4 ms.
void wait_until_asleep(pid_t pid);

/// Bytes of memory of the process, and of those below it, that lie in RAM and are no files: heap, stacks,
/// shared memory. Pages that several processes share are counted once. -1 when unknown. The kernel walks the
/// page tables for it, so that it is exact; that takes about a millisecond for 100 MB.
[[nodiscard]] std::int64_t resident_bytes(pid_t pid);

/// Nearly the same of the process alone, from a counter of the kernel: it costs nothing, and may be off by
/// 128 kB for each CPU. -1 when unknown.
[[nodiscard]] std::int64_t counted_bytes(pid_t pid);

/// Bytes the kernel holds for sockets on the whole machine: all slab, reclaimable or not, and what TCP counts
/// as its memory. A TCP connection's end is a socket with its inode, dentry and file, an epoll entry, and its
/// share of the hash tables; all of these are slab, and the slots of a big descriptor table nearly all the
/// rest. TCP's memory is what waits in the queues: page frames, and in part slab again, so an upper bound; it
/// is next to nothing for connections that wait. What else goes on in the machine is in it too: files that
/// are opened anywhere leave inodes and dentries behind. -1 when unknown.
[[nodiscard]] std::int64_t kernel_socket_bytes();

}  // namespace roomcast::bench
