#pragma once

#include <cstddef>

namespace roomcast::base {

/// Bytes that are allocated at the moment, including the allocator's own word for each block: the sum of
/// uordblks and hblkhd of mallinfo2(), but without walking the free lists. Counts everything that malloc, its
/// relatives and operator new return, also to libraries. Other threads may have up to 64 KiB each that is not
/// included yet. 0 under a sanitizer, which brings its own allocator.
///
/// A program that calls this has its malloc replaced by one that counts and forwards to the C library. When
/// an allocation fails it calls the new handler (std::set_new_handler), if there is one, and tries again, as
/// operator new does; the handler must not throw.
[[nodiscard]] std::size_t allocated_bytes();

/// Whether this build counts allocations.
[[nodiscard]] bool counts_allocations();

}  // namespace roomcast::base
