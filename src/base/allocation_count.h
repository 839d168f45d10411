#pragma once

#include <cstddef>

namespace roomcast::base {

/// Bytes that the allocator has given out and not got back, with its own word for each block: what
/// mallinfo2() calls uordblks and hblkhd together, but without a walk over what is free. Everything is
/// counted that malloc and its kin and operator new give out, to libraries as well. Up to 64 KiB for each
/// other thread are not in it yet. 0 under a sanitizer, which has an allocator of its own.
///
/// A program that calls this has its malloc replaced by one that counts and calls the C library's. When that
/// fails it calls the new handler (std::set_new_handler), if there is one, and tries again, as operator new
/// does; the handler must not throw.
[[nodiscard]] std::size_t allocated_bytes();

/// Whether this build counts.
[[nodiscard]] bool counts_allocations();

}  // namespace roomcast::base
