#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/dirty_list.h"
#include "base/scheduler.h"

namespace roomcast::loop {

/// Fine time for measuring work within a turn; tests hand in one they set themselves.
class MicroClock {
 public:
  /// Microseconds that only ever grow.
  [[nodiscard]] virtual std::int64_t now_us() const = 0;

 protected:
  ~MicroClock() = default;
};

/// What the end of a turn has to do, without the loop: sliced work, then the dirty, then what is to be
/// freed, then what was deferred, and again until all is quiet or the time box is used up.
class TurnQueue final : public base::Scheduler {
 public:
  TurnQueue(const MicroClock& clock, std::int64_t time_box_us) : clock_(clock), time_box_us_(time_box_us) {}
  TurnQueue(const TurnQueue&) = delete;
  TurnQueue& operator=(const TurnQueue&) = delete;
  /// Frees pending objects, and any they enqueue while being destroyed.
  ~TurnQueue();

  /// `work` is looked at in every turn from now on, so it must live as long as turns are run.
  void add_work(base::SlicedWork& work) { works_.push_back(&work); }

  /// `outbox` is emptied after every few flushes from now on. At most one.
  void set_deferred_writes(base::DeferredWrites& outbox) { deferred_writes_ = &outbox; }

  void mark_dirty(base::Flushable& item) override { dirty_.mark(item); }
  void mark_deferred(base::Flushable& item) override { deferred_.mark(item); }
  void forget(base::Flushable& item) override {
    if (!dirty_.forget(item)) deferred_.forget(item);
  }
  void free_later(std::unique_ptr<base::Disposable> item) override { to_free_.push_back(std::move(item)); }
  void wake() override { awake_ = true; }
  /// Little while the last turn was busy.
  [[nodiscard]] base::WorkAllowance first_allowance() const override;
  /// The less the more there are who want it.
  [[nodiscard]] base::WorkAllowance later_allowance() const override;

  /// Does the end of one turn. True if there is work left: run it again soon. Every call makes progress
  /// however small the box. `busy`: others still wait to be called for the first time; of what was deferred,
  /// which comes behind them, only one has its turn.
  bool run(bool busy = false);
  /// Frees pending objects, and any they enqueue while being destroyed, however long it takes: before what
  /// they refer to goes.
  void reap_all();

 private:
  bool do_slices();
  bool flush_some();
  void flush(std::int64_t end_us);
  void flush_deferred(std::int64_t end_us);
  /// Frees what has ended, some at least.
  void reap(std::int64_t end_us);
  /// Whether there is nothing to do but what was deferred.
  [[nodiscard]] bool is_quiet() const {
    return !awake_ && dirty_.empty() && to_free_.empty() && freeing_.empty();
  }

  const MicroClock& clock_;
  std::int64_t time_box_us_;
  std::vector<base::SlicedWork*> works_;
  base::DirtyList dirty_;
  base::DirtyList deferred_;
  base::DeferredWrites* deferred_writes_ = nullptr;
  std::vector<std::unique_ptr<base::Disposable>> to_free_;
  std::vector<std::unique_ptr<base::Disposable>> freeing_;  // being reaped, from the back
  bool awake_ = false;
  bool busy_ = false;
};

}  // namespace roomcast::loop
