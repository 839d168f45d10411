#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/work_allowance.h"

namespace roomcast::base {

/// An object that collects work during a turn and does it once, at the end of the turn. May be destroyed
/// while it is marked only if its destructor calls Scheduler::forget.
class TurnTask {
 public:
  TurnTask() = default;
  TurnTask(const TurnTask&) = delete;
  TurnTask& operator=(const TurnTask&) = delete;

  /// Called once at the end of the turn in which the object was marked, or in a later turn if it was
  /// deferred. May mark this and other objects and free objects later. Does a bounded amount of work (see
  /// work_allowance.h) and marks itself again for the rest.
  virtual void run_at_turn_end() = 0;

 protected:
  ~TurnTask() = default;

 private:
  friend class DirtyList;
  std::uint32_t dirty_position_ = 0;  // 1 + index in the list, 0 when not in it
};

/// Work that tasks leave to be done together, such as the system calls of their writes.
class DeferredWrites {
 public:
  /// Called after every few tasks, before any item is run a second time, called otherwise or freed.
  virtual void send_all() = 0;

 protected:
  ~DeferredWrites() = default;
};

/// An object that has ended but may still be on the call stack: freed at the end of the turn, never in a
/// callback (deferred free).
class Disposable {
 public:
  Disposable() = default;
  Disposable(const Disposable&) = delete;
  Disposable& operator=(const Disposable&) = delete;
  virtual ~Disposable() = default;
};

/// A source of work that is done in slices at the end of each turn.
class SlicedWork {
 public:
  /// Does one slice (well below a millisecond). True if there is more to do.
  virtual bool do_slice() = 0;

 protected:
  ~SlicedWork() = default;
};

/// Registers work for the end of a turn. A turn ends in this order, repeated until nothing is left or its
/// time box is used up (loop::TurnQueue::run implements it, all other code relies on it):
/// - one slice of each SlicedWork: the hub delivers messages;
/// - every item that is marked dirty is run, a few at a time, each few followed by
///   DeferredWrites::send_all;
/// - objects passed to free_later are freed;
/// - deferred items are run: the rest of work that exceeded its allowance.
class Scheduler {
 public:
  /// Has `item` run at the end of this turn. Marking it again has no effect.
  virtual void mark_dirty(TurnTask& item) = 0;
  /// Has `item` run after all dirty items, as time permits: for the rest of work that has used up its
  /// allowance. At least one deferred item is run in each turn, in the order in which they were marked.
  /// Has no effect if the item is marked already, either way.
  virtual void mark_deferred(TurnTask& item) = 0;
  /// Unmarks `item`; has no effect if it is not marked.
  virtual void forget(TurnTask& item) = 0;
  /// Takes ownership of `item`, which is destroyed after the dirty items of this turn.
  virtual void free_later(std::unique_ptr<Disposable> item) = 0;
  /// Runs the sliced work in this turn even if nothing else happens.
  virtual void wake() = 0;
  /// The allowance for input of a client that arrives unsolicited.
  [[nodiscard]] virtual WorkAllowance first_allowance() const {
    return WorkAllowance(WorkAllowance::of_first_read);
  }
  /// The allowance for input that was deferred.
  [[nodiscard]] virtual WorkAllowance later_allowance() const {
    return WorkAllowance(WorkAllowance::of_later_read);
  }

 protected:
  ~Scheduler() = default;
};

}  // namespace roomcast::base
