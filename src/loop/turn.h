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

/// The work of the end of a turn, independent of the loop. `run` owns the order of its phases, which
/// base::Scheduler describes.
class TurnQueue : public base::Scheduler {
 public:
  TurnQueue(const base::Clock& clock, std::int64_t time_box_us) : clock_(clock), time_box_us_(time_box_us) {}
  TurnQueue(const TurnQueue&) = delete;
  TurnQueue& operator=(const TurnQueue&) = delete;
  /// Frees pending objects, and any they enqueue while being destroyed.
  virtual ~TurnQueue();

  /// `work` runs in every turn from now on and must outlive them.
  void add_work(base::SlicedWork& work) { works_.push_back(&work); }

  /// `writes` are sent after every few tasks from now on. At most one.
  void set_deferred_writes(base::DeferredWrites& writes) { deferred_writes_ = &writes; }

  void mark_dirty(base::TurnTask& item) override { dirty_.mark(item); }
  void mark_deferred(base::TurnTask& item) override { deferred_.mark(item); }
  void forget(base::TurnTask& item) override {
    if (!dirty_.forget(item)) deferred_.forget(item);
  }
  void free_later(std::unique_ptr<base::Disposable> item) override { to_free_.push_back(std::move(item)); }
  void wake() override { awake_ = true; }
  /// Smaller while the last turn was busy.
  [[nodiscard]] base::WorkAllowance first_allowance() const override;
  /// Smaller the more clients have deferred work.
  [[nodiscard]] base::WorkAllowance later_allowance() const override;

  /// Runs the end of one turn. True if work is left: run it again soon. Every call makes progress, however
  /// small the time box. `busy`: more sockets are ready that were not read yet; then only one deferred item
  /// is run.
  bool run(bool busy = false);
  /// Frees pending objects, and any they enqueue while being destroyed, regardless of the time box: to be
  /// called before the objects that they refer to are destroyed.
  void reap_all();

 private:
  bool do_slices();
  bool run_some();
  void run_dirty(std::int64_t end_us);
  void run_deferred(std::int64_t end_us);
  /// Frees pending objects, at least some.
  void reap(std::int64_t end_us);
  /// Whether only deferred work is left.
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
  std::vector<std::unique_ptr<base::Disposable>> freeing_;  // being freed, from the back
  bool awake_ = false;
  bool busy_ = false;
};

/// A histogram of the working time of turns (without sleep): `buckets[i]` counts the turns of at most
/// `bounds_us[i]` microseconds that exceed the previous bound; the last bucket has no bound.
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

/// Runs the end of every turn of a loop, just before the loop sleeps: after the timers, reads and writes of
/// the turn. If work is left when the time box is used up, the loop does not sleep but polls for events and
/// returns.
class Turn final : public TurnQueue, private Loop::Worker {
 public:
  Turn(Loop& loop, std::int64_t time_box_us);
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() override;

  [[nodiscard]] const TurnStats& stats() const { return stats_; }

 private:
  void begin_turn() override;
  bool end_turn(bool busy) override;

  Loop& loop_;
  TurnStats stats_;
  std::int64_t begin_us_;
};

}  // namespace roomcast::loop
