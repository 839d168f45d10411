#include "loop/turn.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

namespace roomcast::loop {

namespace {

// Reading the clock costs about as much as queueing a delivery, and writes are cheaper the more are made
// together: so not after every task.
constexpr std::size_t tasks_per_look = 32;
// Destroying a session takes some microseconds.
constexpr std::size_t frees_per_look = 16;
// Memory that only a burst of disconnects needed is released.
constexpr std::size_t spare_frees = 4'096;

}  // namespace

TurnQueue::~TurnQueue() { reap_all(); }

void TurnQueue::reap_all() {
  constexpr std::int64_t no_end = std::numeric_limits<std::int64_t>::max();
  while (!to_free_.empty() || !freeing_.empty())
    reap(no_end);
}

base::WorkAllowance TurnQueue::first_allowance() const {
  using base::WorkAllowance;
  // A client is not expensive because of an allowance that only a busy turn made small.
  return {busy_ ? WorkAllowance::of_crowded_read : WorkAllowance::of_first_read,
          WorkAllowance::of_first_read};
}

base::WorkAllowance TurnQueue::later_allowance() const {
  using base::WorkAllowance;
  const std::size_t share = WorkAllowance::of_all_later_reads / (deferred_.size() + 1);
  return WorkAllowance(std::clamp(share, WorkAllowance::least_later_read, WorkAllowance::of_later_read));
}

bool TurnQueue::run(bool busy) {
  busy_ = busy;
  const std::int64_t begin_us = clock_.monotonic_us();
  const std::int64_t end_us = begin_us + time_box_us_;
  bool may_run_deferred = true;
  for (;;) {
    const bool slices_left = do_slices();
    run_dirty(end_us);
    reap(end_us);
    if (may_run_deferred) run_deferred(busy ? begin_us : end_us);
    may_run_deferred = !busy;
    const bool is_done = !slices_left && is_quiet();
    if (is_done && (busy || deferred_.empty())) return !deferred_.empty();
    if (clock_.monotonic_us() >= end_us) return true;
  }
}

bool TurnQueue::do_slices() {
  awake_ = false;
  bool left = false;
  for (auto* work : works_)
    left = work->do_slice() || left;
  return left;
}

void TurnQueue::run_dirty(std::int64_t end_us) {
  while (run_some() && clock_.monotonic_us() < end_us) {
  }
}

/// Runs a few items and sends their deferred writes. False if none is left.
bool TurnQueue::run_some() {
  const bool more = dirty_.run_some(tasks_per_look);
  if (deferred_writes_ != nullptr) deferred_writes_->send_all();
  return more;
}

void TurnQueue::run_deferred(std::int64_t end_us) {
  // Each takes as long as a large read. Items that are deferred again go to the end of the list.
  for (std::size_t count = deferred_.size(); count > 0; --count) {
    if (!deferred_.run_some(1) || clock_.monotonic_us() >= end_us) return;
  }
}

void TurnQueue::reap(std::int64_t end_us) {
  // Freeing an object may add others, which are left for the next round.
  if (freeing_.empty()) freeing_.swap(to_free_);
  while (!freeing_.empty()) {
    for (std::size_t i = 0; i < frees_per_look && !freeing_.empty(); ++i) {
      const std::unique_ptr<base::Disposable> last = std::move(freeing_.back());
      freeing_.pop_back();
    }
    if (!freeing_.empty() && clock_.monotonic_us() >= end_us) return;
  }
  if (freeing_.capacity() > spare_frees) freeing_.shrink_to_fit();
}

Turn::Turn(Loop& loop, std::int64_t time_box_us)
    : TurnQueue(loop, time_box_us), loop_(loop), begin_us_(loop.monotonic_us()) {
  loop_.set_worker(this);
}

Turn::~Turn() { loop_.set_worker(nullptr); }

void Turn::begin_turn() { begin_us_ = loop_.monotonic_us(); }

bool Turn::end_turn(bool busy) {
  const bool work_left = run(busy);
  stats_.add(loop_.monotonic_us() - begin_us_);
  return work_left;
}

}  // namespace roomcast::loop
