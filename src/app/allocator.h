#pragma once

#include <cstddef>

namespace roomcast::app {

/// Fixes the size from which the C library returns freed blocks to the system. By default it raises that size
/// up to 32 MiB as larger blocks are freed, and then retains what a burst has taken.
void configure_allocator();

/// Returns free heap memory to the system, and by how many bytes the resident set has shrunk. Takes as long
/// as the kernel needs to unmap that many pages, and some 100 ns for each small block that was freed lately.
std::size_t give_back_free_memory();

/// A block of memory in reserve for when the system gives no more. While an object of this class exists, the
/// first allocation that fails frees the reserve and tries again; the next one that fails ends the process
/// with exit code 1 and an error line. At most one object at a time: the allocator is one for the process.
class EmergencyReserve {
 public:
  EmergencyReserve();
  EmergencyReserve(const EmergencyReserve&) = delete;
  EmergencyReserve& operator=(const EmergencyReserve&) = delete;
  ~EmergencyReserve();

  /// Whether it was freed and has not been restored. False if there never was one.
  [[nodiscard]] static bool is_used_up();
  /// Allocates a new one if it has been freed. False if there is no memory for it.
  static bool restore();
};

}  // namespace roomcast::app
