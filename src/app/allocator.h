#pragma once

#include <cstddef>

namespace roomcast::app {

/// Has the C library give large blocks back to the system as they are freed, whatever was freed before: by
/// itself it raises the size from which it does so up to 32 MiB, and then keeps what a burst has taken.
void configure_allocator();

/// Gives what is free back to the system, and says by how many bytes the resident size has become less. Takes
/// about as long as the kernel needs to take that many pages, and some 100 ns for each small block that was
/// freed lately.
std::size_t give_back_free_memory();

/// What is left for the way out when the system gives no more memory. While there is one of these, the first
/// allocation that fails frees the reserve and tries again; the next one that fails ends the process with
/// exit code 1 and one line that says what to do. At most one at a time, for the allocator is only one.
class EmergencyReserve {
 public:
  EmergencyReserve();
  EmergencyReserve(const EmergencyReserve&) = delete;
  EmergencyReserve& operator=(const EmergencyReserve&) = delete;
  ~EmergencyReserve();

  /// Whether it was needed and has not been restored. False where there never was one.
  [[nodiscard]] static bool is_used_up();
  /// Lays in a new one if it has been used up. False if there is no memory for it.
  static bool restore();
};

}  // namespace roomcast::app
