#pragma once

#include <cstdint>
#include <deque>

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
  [[nodiscard]] std::int64_t interval_ms() const { return interval_ms_; }

 private:
  friend class Deadline;
  struct Slot {
    Deadline::Listener* listener = nullptr;  // null: the slot is free
    std::int64_t due_ms = 0;                 // 0: not set; in a free slot the next free one (1 + index)
  };

  std::uint32_t acquire(Deadline::Listener& listener);
  void release(std::uint32_t slot);

  const Clock& clock_;
  std::int64_t interval_ms_;
  std::deque<Slot> slots_;       // grows without moving all
  std::int64_t first_free_ = 0;  // 1 + index, 0: none
};

}  // namespace roomcast::base
