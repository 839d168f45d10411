#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/work_allowance.h"

namespace roomcast::base {

/// Something that collects work during a turn and does it once at the turn's end.
/// Destroying it while it is marked is safe only if its destructor calls Scheduler::forget.
class Flushable {
 public:
  Flushable() = default;
  Flushable(const Flushable&) = delete;
  Flushable& operator=(const Flushable&) = delete;

  /// Called once at the end of the turn in which it was marked, or in a later turn if it was deferred. May
  /// mark others and itself, and have them freed later. Its work is bounded (see work_allowance.h): what is
  /// left is marked again.
  virtual void flush() = 0;

 protected:
  ~Flushable() = default;

 private:
  friend class DirtyList;
  std::uint32_t dirty_position_ = 0;  // 1 + index in the list, 0 when not in it
};

/// What flushed items leave to be done for all of them at once.
class DeferredWrites {
 public:
  /// Called after every few flushes: before anybody is flushed again, before anybody else can be called or
  /// die.
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

/// A source of work that is done in slices, before everything else at the end of a turn.
class SlicedWork {
 public:
  /// Does one slice (well under a millisecond). True if there is more to do.
  virtual bool do_slice() = 0;

 protected:
  ~SlicedWork() = default;
};

/// What the end of a turn does for others (deliver, flush, reap). Implemented by loop::Turn.
class Scheduler {
 public:
  /// Has `item.flush()` called before the loop sleeps. Marking twice is the same as once.
  virtual void mark_dirty(Flushable& item) = 0;
  /// Has `item.flush()` called behind everything that is marked dirty, as time allows: for the rest of work
  /// that has used up its allowance. At least one is called in every turn, in the order in which they were
  /// marked. Nothing happens if it is marked already, either way.
  virtual void mark_deferred(Flushable& item) = 0;
  /// Takes `item` off the lists; nothing happens if it is on none.
  virtual void forget(Flushable& item) = 0;
  /// Takes ownership; destroyed after this turn's flushes.
  virtual void free_later(std::unique_ptr<Disposable> item) = 0;
  /// Has the sliced work looked at in this turn even if nothing else happens.
  virtual void wake() = 0;
  /// How much a client may have done now, in one go, of what it sent unasked.
  [[nodiscard]] virtual WorkAllowance first_allowance() const {
    return WorkAllowance(WorkAllowance::of_first_read);
  }
  /// The same of what was deferred.
  [[nodiscard]] virtual WorkAllowance later_allowance() const {
    return WorkAllowance(WorkAllowance::of_later_read);
  }

 protected:
  ~Scheduler() = default;
};

}  // namespace roomcast::base
