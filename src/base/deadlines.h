#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "base/clock.h"

namespace roomcast::base {

class Deadlines;

/// A coarse deadline that its owner sets, moves and clears at the cost of one store.
/// Destroying it clears it. It is called late by at most the sweep's interval, never early.
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
/// no ordered structure per connection. `sweep` is called by a loop timer.
class Deadlines {
 public:
  Deadlines(const Clock& clock, std::int64_t interval_ms) : clock_(clock), interval_ms_(interval_ms) {}
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;
  ~Deadlines() = default;

  /// Calls every listener whose time has come. Listeners may create, set and destroy deadlines meanwhile.
  void sweep();
  [[nodiscard]] std::int64_t now_ms() const { return clock_.monotonic_ms(); }
  [[nodiscard]] std::int64_t interval_ms() const { return interval_ms_; }

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
  void call_due(std::uint32_t block, std::int64_t now_ms);
  [[nodiscard]] std::int64_t& due_ms(std::uint32_t slot) {
    return blocks_[slot / block_slots]->due_ms[slot % block_slots];
  }

  const Clock& clock_;
  std::int64_t interval_ms_;
  std::vector<std::unique_ptr<Block>> blocks_;  // grows without moving what is in it
  std::vector<std::uint32_t> free_;
};

}  // namespace roomcast::base
