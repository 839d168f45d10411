#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "base/clock.h"

namespace roomcast::base {

class Deadlines;

/// A coarse deadline; setting, moving and clearing it costs one store. Destroying it clears it. The listener
/// is called late by at most the sweep interval (more if very many are due at once), and never early. Time in
/// which the process did not run does not count.
class Deadline {
 public:
  class Listener {
   public:
    /// The deadline has passed and is cleared; it may be set again from here.
    virtual void on_deadline() = 0;

   protected:
    ~Listener() = default;
  };

  Deadline(Deadlines& sweep, Listener& listener);
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline();

  /// Sets the deadline to `ms` milliseconds from now, replacing an earlier one.
  void set_in(std::int64_t ms);
  void clear();
  [[nodiscard]] bool is_set() const;

 private:
  Deadlines& sweep_;
  std::uint32_t slot_;
};

/// All deadlines of the process in a dense array that is scanned every `interval_ms`: no timer object and no
/// ordered structure per connection. A loop timer calls `tick`.
///
/// While the process is stopped, its machine is suspended or one turn of the loop takes very long, input
/// piles up unread and all peers would seem to be late. So at most `counted_max_ms` of the time between two
/// ticks counts: all set deadlines move by the rest, and none is due before another `grace_ms`, in which the
/// input is read. A loop that is always slow cannot postpone deadlines for ever: the grace is granted once in
/// `grace_apart_ms` of counted time.
class Deadlines {
 public:
  Deadlines(const Clock& clock, std::int64_t interval_ms) : clock_(clock), interval_ms_(interval_ms) {}
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;
  ~Deadlines() = default;

  /// Accounts for time in which the process did not run, then sweeps. To be called every `interval_ms`, or
  /// after 1 ms if it returns true: more deadlines are due.
  bool tick();
  /// Calls the listeners of at most `calls_max` deadlines that are due; true if there may be more. The next
  /// sweep continues where this one stopped. Listeners may create, set and destroy deadlines.
  bool sweep();
  /// The current time. Accounts first for time in which the process did not run, so that only deadlines set
  /// before are moved.
  [[nodiscard]] std::int64_t now_ms() {
    const std::int64_t now_ms = clock_.monotonic_ms();
    if (now_ms - last_tick_ms_ > counted_max_ms) forgive(now_ms);
    return now_ms;
  }
  [[nodiscard]] std::int64_t interval_ms() const { return interval_ms_; }

  // The longest interval between two ticks of a healthy loop.
  static constexpr std::int64_t counted_max_ms = 500;
  static constexpr std::int64_t grace_ms = 1'000;
  // Longer than the grace, so that overdue listeners are called before the next one.
  static constexpr std::int64_t grace_apart_ms = 2'000;
  // A call takes one or several microseconds.
  static constexpr std::size_t calls_max = 256;

 private:
  friend class Deadline;

  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  static constexpr std::uint32_t block_slots = 256;

  /// The times are contiguous: a sweep reads only them, and the listeners of those that are due.
  struct Block {
    std::array<std::int64_t, block_slots> due_ms;  // never: not set, or a free slot
    std::array<Deadline::Listener*, block_slots> listener;
  };

  std::uint32_t acquire(Deadline::Listener& listener);
  void release(std::uint32_t slot);
  void add_block();
  void call_due(Block& slots, std::int64_t now_ms, std::size_t& calls_left);
  void forgive(std::int64_t now_ms);
  [[nodiscard]] std::int64_t& due_ms(std::uint32_t slot) {
    return blocks_[slot / block_slots]->due_ms[slot % block_slots];
  }

  const Clock& clock_;
  std::int64_t interval_ms_;
  std::int64_t last_tick_ms_ = never;           // never: no tick yet
  std::int64_t lost_ms_ = 0;                    // total time that did not count
  std::int64_t next_grace_ms_ = 0;              // in counted time
  std::size_t next_block_ = 0;                  // where a sweep begins
  std::vector<std::unique_ptr<Block>> blocks_;  // blocks do not move when it grows
  std::vector<std::uint32_t> free_;
};

}  // namespace roomcast::base
