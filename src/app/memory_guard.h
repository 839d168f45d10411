#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "base/log.h"
#include "base/scheduler.h"
#include "hub/hub.h"
#include "loop/handles.h"
#include "loop/loop.h"
#include "net/admission.h"
#include "part/part.h"

namespace roomcast::app {

/// Keeps the process below limits.memory_bytes, and returns to the system what a burst has left. Checks what
/// has been allocated every 100 ms, and as sliced work (loop::Turn::add_work) also within a turn when the
/// limits have been set, the limit is near or the system has refused memory. Memory is taken in this order:
///   - the clients of an address that hold most are disconnected while the address holds more than its share
///     (limits.address_memory_bytes);
///   - above 85 % of the limit, the clients that hold most of all, 64 KiB at least, until less than 80 % is
///     used; none where all connections together hold less than a hundredth of what is used;
///   - above 95 % all the same, those that hold 16 KiB at least, and what parts can spare
///     (part::Part::shed_memory): rooms drop half of their history;
///   - above 100 % publishes and new clients, polls included, are refused until less than 90 % is used.
class MemoryGuard final : public base::SlicedWork, private loop::Timer::Listener {
 public:
  struct Limits {
    std::size_t memory_bytes = std::numeric_limits<std::size_t>::max();
  };
  /// Everything outlives the guard, and the turns in which `parts` may be used.
  struct Context {
    loop::Loop& loop;
    hub::Hub& hub;
    net::AdmissionControl& admissions;
    base::Log& log;
    const part::Parts& parts;
  };

  explicit MemoryGuard(const Context& context);
  /// Also when limits of net::AdmissionControl have changed: at the end of the turn it looks whether all keep
  /// to them, however lately it has looked.
  void set_limits(const Limits& limits) {
    limits_ = limits;
    has_new_limits_ = true;
  }

  /// Bytes that the allocator has given out, as of the last look.
  [[nodiscard]] std::size_t used_bytes() const { return used_bytes_; }
  /// Clients disconnected because memory was short or they held more than their address's share.
  [[nodiscard]] std::uint64_t shed_holders() const { return shed_holders_; }
  /// How often free memory was given back to the system.
  [[nodiscard]] std::uint64_t times_given_back() const { return times_given_back_; }

  bool do_slice() override;

 private:
  /// Limits a kind of warning to one line in ten seconds.
  class Warning {
   public:
    [[nodiscard]] bool is_due(std::int64_t now_ms);

   private:
    std::int64_t next_ms_ = 0;
  };

  void on_timer(loop::Timer& timer) override;
  void look();
  // Each returns the bytes that this gives back.
  std::size_t shed_over_share();
  std::size_t shed_largest(std::size_t enough_bytes, std::size_t least_bytes);
  std::size_t shed_parts();
  void log_shed(Warning& warning, std::string_view what, const net::AdmissionControl::Shed& all);
  void refuse_or_relent(std::size_t used);
  /// Gives free memory back to the system, unless the last time took long and was just now. `used`: bytes
  /// that are allocated.
  void give_back(std::size_t used);
  [[nodiscard]] std::size_t percent(std::size_t count) const { return limits_.memory_bytes / 100 * count; }

  Context context_;
  Limits limits_;
  std::size_t used_bytes_ = 0;
  std::size_t most_used_ = 0;  // since free memory was last given back
  std::size_t worth_giving_back_bytes_;
  std::chrono::steady_clock::time_point next_give_back_;
  std::uint64_t shed_holders_ = 0;
  std::uint64_t times_given_back_ = 0;
  std::int64_t looked_ms_ = 0;
  bool has_new_limits_ = false;  // since the last look
  bool has_no_reserve_ = false;  // as of the last look that found it used up: it could not be restored
  Warning share_warning_;
  Warning largest_warning_;
  Warning parts_warning_;
  Warning exhausted_warning_;
  loop::Timer timer_;
};

}  // namespace roomcast::app
