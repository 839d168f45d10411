#pragma once

#include <cstdint>
#include <memory>

#include "base/scheduler.h"
#include "loop/loop.h"
#include "loop/turn_queue.h"
#include "loop/turn_stats.h"

namespace roomcast::loop {

/// Does the end of every turn of a loop: the last thing before the loop sleeps, after the time-outs, reads
/// and writes of the turn. If work is left when the time box is used up, the loop does not sleep but only
/// looks at what else is ready and comes back.
class Turn final : public base::Scheduler, public MicroClock, private Loop::Worker {
 public:
  Turn(Loop& loop, std::int64_t time_box_us);
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn();

  /// `work` is looked at in every turn from now on, so it must live as long as the loop runs.
  void add_work(base::SlicedWork& work) { queue_.add_work(work); }

  /// See TurnQueue; must live as long as the loop runs.
  void set_deferred_writes(base::DeferredWrites& outbox) { queue_.set_deferred_writes(outbox); }

  void mark_dirty(base::Flushable& item) override { queue_.mark_dirty(item); }
  void mark_deferred(base::Flushable& item) override { queue_.mark_deferred(item); }
  void forget(base::Flushable& item) override { queue_.forget(item); }
  void free_later(std::unique_ptr<base::Disposable> item) override { queue_.free_later(std::move(item)); }
  void wake() override { queue_.wake(); }
  [[nodiscard]] base::WorkAllowance first_allowance() const override { return queue_.first_allowance(); }
  [[nodiscard]] base::WorkAllowance later_allowance() const override { return queue_.later_allowance(); }
  /// See TurnQueue.
  void reap_all() { queue_.reap_all(); }

  [[nodiscard]] std::int64_t now_us() const override;

  [[nodiscard]] const TurnStats& stats() const { return stats_; }

 private:
  void begin_turn() override;
  bool end_turn(bool busy) override;

  Loop& loop_;
  TurnQueue queue_;
  TurnStats stats_;
  std::int64_t begin_us_;
};

}  // namespace roomcast::loop
