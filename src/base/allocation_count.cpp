#include "base/allocation_count.h"

#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROOMCAST_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define ROOMCAST_COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef ROOMCAST_COUNTS_ALLOCATIONS
#define ROOMCAST_COUNTS_ALLOCATIONS 1
#endif

#if ROOMCAST_COUNTS_ALLOCATIONS

// The C library's allocator, under the names it exports for programs that replace malloc.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier)
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* block);
// NOLINTEND(bugprone-reserved-identifier)
}

namespace roomcast::base {

namespace {

constexpr std::ptrdiff_t block_overhead = sizeof(std::size_t);
constexpr std::ptrdiff_t most_kept_back = 65'536;

// Each thread keeps its own count and adds it to the sum when it has grown large: an atomic addition for each
// allocation would cost more than everything else here.
std::atomic<std::ptrdiff_t> sum{0};            // NOLINT: malloc has no owner
constinit thread_local std::ptrdiff_t own{0};  // NOLINT

void add(std::ptrdiff_t bytes) {
  own += bytes;
  if (own < most_kept_back && own > -most_kept_back) return;
  sum.fetch_add(own, std::memory_order_relaxed);
  own = 0;
}

std::ptrdiff_t size_of(void* block) {
  return static_cast<std::ptrdiff_t>(malloc_usable_size(block)) + block_overhead;
}

void* taken(void* block) {
  if (block != nullptr) add(size_of(block));
  return block;
}

/// Calls `allocate` until it succeeds or there is no new handler, as operator new does, so that libraries
/// that call malloc profit from the handler as well.
template <class Allocate>
void* persist(std::size_t size, const Allocate& allocate) {
  for (;;) {
    void* block = allocate();
    if (block != nullptr) [[likely]]
      return taken(block);
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr || size > PTRDIFF_MAX) return nullptr;
    handler();
  }
}

}  // namespace

std::size_t allocated_bytes() {
  const std::ptrdiff_t bytes = sum.load(std::memory_order_relaxed) + own;
  return bytes < 0 ? 0 : static_cast<std::size_t>(bytes);
}

bool counts_allocations() { return true; }

}  // namespace roomcast::base

extern "C" {

using roomcast::base::add;
using roomcast::base::persist;
using roomcast::base::size_of;
using roomcast::base::taken;

void* malloc(std::size_t size) noexcept {
  return persist(size, [size] { return __libc_malloc(size); });
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  std::size_t total = 0;
  if (__builtin_mul_overflow(count, size, &total)) total = SIZE_MAX;
  return persist(total, [count, size] { return __libc_calloc(count, size); });
}

void* realloc(void* block, std::size_t size) noexcept {
  const std::ptrdiff_t before = block == nullptr ? 0 : size_of(block);
  if (block != nullptr && size == 0) {
    add(-before);
    return taken(__libc_realloc(block, 0));
  }
  void* moved = persist(size, [block, size] { return __libc_realloc(block, size); });
  if (moved != nullptr) add(-before);  // otherwise the old block is still allocated
  return moved;
}

void free(void* block) noexcept {
  if (block == nullptr) return;
  add(-size_of(block));
  __libc_free(block);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return persist(size, [alignment, size] { return __libc_memalign(alignment, size); });
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept { return memalign(alignment, size); }

int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  const bool is_power_of_two = alignment != 0 && (alignment & (alignment - 1)) == 0;
  if (!is_power_of_two || alignment % sizeof(void*) != 0) return EINVAL;
  void* made = memalign(alignment, size);
  if (made == nullptr) return ENOMEM;
  *block = made;
  return 0;
}

}  // extern "C"

#else

namespace roomcast::base {

std::size_t allocated_bytes() { return 0; }

bool counts_allocations() { return false; }

}  // namespace roomcast::base

#endif
