#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/scheduler.h"
#include "loop/handles.h"
#include "loop/loop.h"
#include "loop/worker_thread.h"
#include "store/directory.h"
#include "store/journal.h"
#include "store/tail.h"

namespace roomcast::store {

/// Collects records and commits them to the journal, a batch at a time, on a thread of its own. Belongs to
/// the loop's thread.
///
/// A batch that cannot be committed is tried again, the same bytes, after 0.1 s, later 5 s, until it is; what
/// comes meanwhile is the next batch. The first tries use the same connection, which writes over what the
/// failure has left in the WAL. A connection that is opened anew takes that for committed, although the disk
/// may not have it: so one is opened only after further failures, and the WAL is then written once more
/// (rewrite_wal), and emptied, before anything is committed.
class Committer final : private base::TurnTask, private loop::Timer::Listener {
 public:
  struct Limits {
    std::int64_t commit_ms = 5;  ///< from the beginning of one commit to that of the next
    std::size_t queue_bytes = 0;
    std::size_t tail_bytes = 0;  ///< of the tail; past it commits wait for a fold. More than starts one
  };

  /// A batch that is on the disk.
  struct Committed {
    std::uint64_t seq = 0;
    std::size_t bytes = 0;
    std::size_t records = 0;   ///< as often as `appended` was called
    std::size_t messages = 0;  ///< of the records
    std::int64_t took_us = 0;  ///< without earlier tries that failed
    std::int64_t sync_us = 0;  ///< of that: what the disk took to sync
  };

  class Listener {
   public:
    virtual void on_committed(const Committed& batch) = 0;
    /// `in_a_row`: failures since the last commit that succeeded.
    virtual void on_commit_failed(const Fault& fault, unsigned in_a_row) = 0;
    /// Whether the reserve is there: it was given up, since the disk is full, or is made again.
    virtual void on_reserve(bool is_there) = 0;
    /// No commit is undone by it.
    virtual void on_checkpoint_failed(const Fault& fault) = 0;

   protected:
    ~Listener() = default;
  };

  /// What it works with; outlives it.
  struct Parts {
    loop::Loop& loop;
    base::Scheduler& scheduler;
    const Directory& directory;
    Tail& tail;
    Listener& listener;
  };

  Committer(const Parts& parts, const Limits& limits, Journal journal, Journal::Options options,
            std::uint64_t last_seq);
  /// Waits for the commit that is under way, and drops what was not begun.
  ~Committer();

  void set_limits(const Limits& limits);

  // As in RoomStore.
  [[nodiscard]] std::string& batch() { return filling_; }
  [[nodiscard]] std::uint64_t batch_number() const { return filling_seq_; }
  void appended();
  [[nodiscard]] std::size_t queued_bytes() const { return filling_.size() + under_way_bytes_; }
  /// Of those bytes, as often as `appended` was called.
  [[nodiscard]] std::size_t queued_records() const {
    return filling_records_ + (under_way_bytes_ == 0 ? 0 : under_way_records_);
  }
  [[nodiscard]] bool has_space_for(std::size_t bytes) const {
    return queued_bytes() + bytes <= limits_.queue_bytes;
  }

  /// Batches up to `seq` have been folded: the journal does not need them any more. They go with the commits
  /// that follow, some at a time, since that costs no write of its own.
  void release(std::uint64_t seq);
  /// Drops them now, for when there are no commits.
  void release_now();
  /// Tries to make the reserve again: answered by on_reserve if it was missing and is there.
  void make_reserve();

  /// The end: stops the thread, then commits what is left, on this one. True if nothing is left. After that
  /// only `close` may be called.
  [[nodiscard]] bool finish();
  /// After `finish`: drops what has been folded, and leaves an empty WAL.
  void close(std::uint64_t folded_seq);

 private:
  class Job;
  class CommitJob;
  class ReleaseJob;
  class CheckpointJob;
  class ReserveJob;

  /// What the thread uses, and nobody else but in `finish` and `close`, when it has ended.
  struct Desk {
    const Directory& directory;
    Tail& tail;
    Journal::Options options;
    std::optional<Journal> journal;               ///< empty: to be opened anew
    unsigned failures = 0;                        ///< in a row
    std::atomic<std::uint64_t> released_seq = 0;  ///< set by the loop: batches up to it have been folded

    [[nodiscard]] std::optional<Fault> open_again();
    [[nodiscard]] std::optional<Fault> append(std::uint64_t seq, const std::string& records);
  };
  /// The batch that is being committed: the thread's from the start of its job to the end of that.
  struct Batch {
    std::uint64_t seq = 0;
    std::string records{};
    bool is_sealed = false;
    std::size_t messages = 0;  ///< once it is sealed
    bool is_committed = true;
    bool has_dropped_reserve = false;
    bool wants_checkpoint = false;
    std::int64_t sync_us = 0;
    unsigned failures = 0;
    std::optional<Fault> fault{};
  };
  static void commit(Desk& desk, Batch& batch);

  void run_at_turn_end() override;
  void on_timer(loop::Timer& timer) override;
  void start_commit();
  void on_commit_done();
  void on_release_done(bool has_more);

  Parts parts_;
  Limits limits_;
  Desk desk_;
  loop::Timer timer_;  // until the next commit may begin, or a batch is tried again
  std::string filling_;
  std::uint64_t filling_seq_;
  Batch under_way_;
  std::size_t under_way_bytes_ = 0;
  std::size_t filling_records_ = 0;
  std::size_t under_way_records_ = 0;
  bool is_committing_ = false;  // the thread has under_way_
  bool is_retrying_ = false;    // under_way_ waits for the timer
  std::int64_t begun_ms_;       // when the last commit began
  std::int64_t begun_us_ = 0;
  bool is_releasing_ = false;
  std::unique_ptr<loop::WorkerThread> thread_;  // the last: it ends first
};

}  // namespace roomcast::store
