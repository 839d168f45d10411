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

/// A coarse deadline that its owner sets, moves and clears at the cost of one store.
/// Destroying it clears it. It is called late by at most the sweep's interval, unless very many are due at
/// once, and never early. Time in which the process did not run does not count.
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

  /// Due in `ms` milliseconds from now, instead of whatever was set before.
  void set_in(std::int64_t ms);
  void clear();
  [[nodiscard]] bool is_set() const;

 private:
  Deadlines& sweep_;
  std::uint32_t slot_;
};

/// All deadlines of the process in one dense row, looked through every `interval_ms`: no timer object and
/// no ordered structure per connection. A loop timer calls `tick`.
///
/// When the process was stopped, its machine was frozen or one turn of the loop took very long, what has
/// arrived meanwhile lies unread, and everybody would look late. So between two ticks at most
/// `counted_max_ms` count: all deadlines that are set move by the rest, and none is due for another
/// `grace_ms`, in which what has arrived is read. A loop that is slow all the time can't put deadlines off
/// for ever: so much grace is given once in `grace_apart_ms` of time that counts.
class Deadlines {
 public:
  Deadlines(const Clock& clock, std::int64_t interval_ms) : clock_(clock), interval_ms_(interval_ms) {}
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;
  ~Deadlines() = default;

  /// Sees whether the process has stood still since the last tick, then sweeps. To be called every
  /// `interval_ms`, or in a millisecond if it says that more are due.
  bool tick();
  /// Calls the listeners whose time has come, `calls_max` of them at most; true if there may be more. The
  /// next sweep goes on where this one stopped. Listeners may create, set and destroy deadlines meanwhile.
  bool sweep();
  /// Now; if the process has stood still, that is taken into account first, so that only deadlines set
  /// before it are moved.
  [[nodiscard]] std::int64_t now_ms() {
    const std::int64_t now_ms = clock_.monotonic_ms();
    if (now_ms - last_tick_ms_ > counted_max_ms) forgive(now_ms);
    return now_ms;
  }
  [[nodiscard]] std::int64_t interval_ms() const { return interval_ms_; }

  // The worst that a healthy loop does between two ticks.
  static constexpr std::int64_t counted_max_ms = 500;
  static constexpr std::int64_t grace_ms = 1'000;
  // Longer than the grace, so that whoever is late is called before the next.
  static constexpr std::int64_t grace_apart_ms = 2'000;
  // A call takes a microsecond, or several.
  static constexpr std::size_t calls_max = 256;

 private:
  friend class Deadline;

  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  static constexpr std::uint32_t block_slots = 256;

  /// The times lie side by side: a sweep reads only them, and of the listeners just those that are due.
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
  std::int64_t last_tick_ms_ = never;           // never: there was none
  std::int64_t lost_ms_ = 0;                    // time that did not count, in all
  std::int64_t next_grace_ms_ = 0;              // in time that counts
  std::size_t next_block_ = 0;                  // where a sweep begins
  std::vector<std::unique_ptr<Block>> blocks_;  // grows without moving what is in it
  std::vector<std::uint32_t> free_;
};

}  // namespace roomcast::base
