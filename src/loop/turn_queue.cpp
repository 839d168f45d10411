#include "loop/turn_queue.h"

#include <cstddef>
#include <utility>

namespace roomcast::loop {

namespace {

// Looking at the clock costs about as much as queueing a delivery, and the more go out at once the cheaper:
// so not after every flush.
constexpr std::size_t flushes_per_look = 32;

}  // namespace

TurnQueue::~TurnQueue() {
  while (!graves_.empty())
    reap();
}

bool TurnQueue::run() {
  const std::int64_t end_us = clock_.now_us() + time_box_us_;
  for (;;) {
    const bool slices_left = do_slices();
    flush(end_us);
    reap();
    if (!slices_left && is_quiet()) return false;
    if (clock_.now_us() >= end_us) return true;
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
  while (flush_some() && clock_.now_us() < end_us) {
  }
}

/// False if nobody was left to be flushed.
bool TurnQueue::flush_some() {
  const bool more = dirty_.flush_some(flushes_per_look);
  if (outbox_ != nullptr) outbox_->send_all();
  return more;
}

void TurnQueue::reap() {
  // Whoever dies may bury others; those are left for the next round.
  dying_.swap(graves_);
  dying_.clear();
}

}  // namespace roomcast::loop
