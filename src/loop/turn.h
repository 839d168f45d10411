#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/dirty_list.h"
#include "base/scheduler.h"
#include "loop/loop.h"

namespace roomcast::loop {

/// What the end of a turn has to do, without the loop: sliced work, then the dirty, then what is to be
/// freed, then what was deferred, and again until all is quiet or the time box is used up.
class TurnQueue final : public base::Scheduler {
 public:
  TurnQueue(const base::Clock& clock, std::int64_t time_box_us) : clock_(clock), time_box_us_(time_box_us) {}
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

  const base::Clock& clock_;
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

/// How long turns worked (sleep not counted), as a histogram: `buckets[i]` counts the turns of at most
/// `bounds_us[i]` microseconds that did not fit the bound before; the last bucket has no bound.
struct TurnStats {
  static constexpr std::array<std::int64_t, 11> bounds_us{50,    100,    250,    500,    1'000,  2'500,
                                                          5'000, 10'000, 25'000, 50'000, 100'000};

  std::array<std::uint64_t, bounds_us.size() + 1> buckets{};
  std::uint64_t count = 0;
  std::uint64_t sum_us = 0;

  void add(std::int64_t duration_us) {
    std::size_t bucket = 0;
    while (bucket < bounds_us.size() && duration_us > bounds_us[bucket])
      ++bucket;
    ++buckets[bucket];
    ++count;
    sum_us += static_cast<std::uint64_t>(duration_us);
  }
};

/// Does the end of every turn of a loop: the last thing before the loop sleeps, after the time-outs, reads
/// and writes of the turn. If work is left when the time box is used up, the loop does not sleep but only
/// looks at what else is ready and comes back.
class Turn final : public base::Scheduler, private Loop::Worker {
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
