#include "app/allocator.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>

namespace roomcast::app {

namespace {

constexpr int mmap_threshold_bytes = 256 * 1024;
constexpr int trim_threshold_bytes = 4 * 1024 * 1024;
constexpr std::size_t reserve_bytes = std::size_t{2} << 20U;
constexpr std::size_t least_reserve_bytes = reserve_bytes / 16;
constexpr std::string_view out_of_memory =
    "roomcast: out of memory: the system gives no more, and nothing is left to give up. Lower "
    "limits.memory_bytes, or give the process more (cgroup memory.max, ulimit -v)\n";

/// A mapping of its own where the system gives one, so that it does not count towards limits.memory_bytes.
/// Otherwise, and once the heap has been exhausted, a block of the heap.
struct Block {
  void* start = nullptr;
  std::size_t bytes = 0;
  bool is_mapped = false;
};

// The handler of new takes no arguments, so these have no other place to be.
std::atomic<bool> is_laid_in{false};
std::atomic<bool> is_spent{false};
Block reserve;  // while it is laid in

void free_reserve() {
  if (reserve.is_mapped) {
    ::munmap(reserve.start, reserve.bytes);
  } else {
    std::free(reserve.start);
  }
}

/// Calls nothing that might allocate.
void on_out_of_memory() {
  if (is_laid_in.exchange(false)) {
    is_spent = true;
    return free_reserve();
  }
  (void)!::write(STDERR_FILENO, out_of_memory.data(), out_of_memory.size());
  ::_exit(1);
}

/// Resident set size; 0 if it cannot be read.
std::size_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  std::size_t all = 0;
  std::size_t resident = 0;
  const bool is_read = std::fscanf(file, "%zu %zu", &all, &resident) == 2;
  (void)std::fclose(file);
  return is_read ? resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

Block map_block() {
  constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* mapped = ::mmap(nullptr, reserve_bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (mapped == MAP_FAILED) return {};
  return {mapped, reserve_bytes, true};
}

/// The largest block that the heap has, down to what a few messages need.
Block allocate_block() {
  const std::new_handler handler = std::set_new_handler(nullptr);
  Block block;
  for (std::size_t bytes = reserve_bytes; block.start == nullptr && bytes >= least_reserve_bytes; bytes /= 2)
    block = {std::malloc(bytes), bytes, false};
  std::set_new_handler(handler);
  return block;
}

}  // namespace

void configure_allocator() {
  mallopt(M_MMAP_THRESHOLD, mmap_threshold_bytes);
  mallopt(M_TRIM_THRESHOLD, trim_threshold_bytes);
}

std::size_t give_back_free_memory() {
  const std::size_t before = resident_bytes();
  malloc_trim(0);
  const std::size_t after = resident_bytes();
  return before - std::min(before, after);
}

EmergencyReserve::EmergencyReserve() {
  is_spent = true;
  restore();
  std::set_new_handler(on_out_of_memory);
}

EmergencyReserve::~EmergencyReserve() {
  std::set_new_handler(nullptr);
  is_spent = false;
  if (is_laid_in.exchange(false)) free_reserve();
}

bool EmergencyReserve::is_used_up() { return is_spent.load(std::memory_order_relaxed); }

bool EmergencyReserve::restore() {
  if (!is_used_up()) return true;
  Block block = map_block();
  if (block.start == nullptr) block = allocate_block();
  if (block.start == nullptr) return false;
  reserve = block;
  is_laid_in = true;
  is_spent = false;
  return true;
}

}  // namespace roomcast::app
