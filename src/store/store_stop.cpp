// How a store is closed, also when its disk does not answer any more.
#include "loop/worker_thread.h"
#include "store/store.h"

namespace roomcast::store {

/// What the disk may never answer runs on a thread of its own, which has the store to itself meanwhile: this
/// one only waits.
Store::Stopped Store::stop(const StopLimits& limits) {
  tick_.stop();
  const std::size_t records = committer_->queued_records();
  const std::size_t bytes = committer_->queued_bytes();
  if (!loop::run_within(limits.end_ms, [this, fold_ms = limits.fold_ms] { end_files(fold_ms); })) {
    log_no_answer(limits, records, bytes);
    return Stopped::disk_does_not_answer;
  }
  if (!is_committed_) parts_.log.error("the last messages could not be written to the store", {});
  if (close_fault_) {
    parts_.log.error("the store could not be closed cleanly; the next start takes longer",
                     {{"why", close_fault_->message}});
  }
  return is_committed_ ? Stopped::committed : Stopped::not_committed;
}

void Store::log_no_answer(const StopLimits& limits, std::size_t records, std::size_t bytes) {
  const auto waited = static_cast<double>(limits.end_ms) / 1'000;
  if (is_committed_) {
    parts_.log.error(
        "the disk does not answer: the server ends without it; all messages are written, and the next start "
        "takes longer",
        {{"waited_seconds", waited}});
  } else {
    parts_.log.error(
        "the disk does not answer: the server ends without it; what was waiting to be written, and was not "
        "answered as kept, may be lost",
        {{"waited_seconds", waited}, {"records", records}, {"bytes", bytes}});
  }
}

void Store::end_files(std::int64_t fold_ms) {
  const std::int64_t begun_us = parts_.loop.monotonic_us();
  check_.reset();
  lookups_.reset();
  is_committed_ = committer_->finish();
  const bool folds = is_committed_ && parts_.loop.monotonic_us() - begun_us < fold_ms * 1'000;
  const base::Result<std::uint64_t, Fault> folded = archivist_->finish(age_time(), folds, is_committed_);
  if (folded) {
    committer_->close(*folded);
  } else {
    close_fault_ = folded.error();
  }
}

}  // namespace roomcast::store
