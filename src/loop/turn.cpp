#include "loop/turn.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

namespace roomcast::loop {

namespace {

// Looking at the clock costs about as much as queueing a delivery, and the more go out at once the cheaper:
// so not after every flush.
constexpr std::size_t flushes_per_look = 32;
// A session's end takes some microseconds.
constexpr std::size_t frees_per_look = 16;
// What a storm of clients that leave together needed is not kept for ever.
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
  // In a crowd nobody is blamed for what would have been little without it.
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
  bool may_flush_deferred = true;
  for (;;) {
    const bool slices_left = do_slices();
    flush(end_us);
    reap(end_us);
    if (may_flush_deferred) flush_deferred(busy ? begin_us : end_us);
    may_flush_deferred = !busy;
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

void TurnQueue::flush(std::int64_t end_us) {
  while (flush_some() && clock_.monotonic_us() < end_us) {
  }
}

/// False if nobody was left to be flushed.
bool TurnQueue::flush_some() {
  const bool more = dirty_.flush_some(flushes_per_look);
  if (deferred_writes_ != nullptr) deferred_writes_->send_all();
  return more;
}

void TurnQueue::flush_deferred(std::int64_t end_us) {
  // Each takes as long as a read of a client that asks for much; those that come back go behind the others.
  for (std::size_t count = deferred_.size(); count > 0; --count) {
    if (!deferred_.flush_some(1) || clock_.monotonic_us() >= end_us) return;
  }
}

void TurnQueue::reap(std::int64_t end_us) {
  // Freeing one may add others: those are left for the next round.
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
    : loop_(loop), queue_(loop, time_box_us), begin_us_(loop.monotonic_us()) {
  loop_.set_worker(this);
}

Turn::~Turn() { loop_.set_worker(nullptr); }

void Turn::begin_turn() { begin_us_ = loop_.monotonic_us(); }

bool Turn::end_turn(bool busy) {
  const bool work_left = queue_.run(busy);
  stats_.add(loop_.monotonic_us() - begin_us_);
  return work_left;
}

}  // namespace roomcast::loop
