#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "base/scheduler.h"
#include "base/string_hash.h"
#include "hub/room_settings.h"
#include "loop/handles.h"
#include "loop/loop.h"
#include "store/archivist.h"
#include "store/committer.h"
#include "store/file_check.h"
#include "store/lookups.h"
#include "store/options.h"
#include "store/room_store.h"
#include "store/startup.h"
#include "store/state_watch.h"

namespace roomcast::store {

/// The store of a directory: what the loop's thread asks for is done by three threads, one for each way to
/// the files (Committer, Archivist, Lookups); after an unclean stop a fourth looks the history through. It
/// decides when to fold and to sweep, and what state all is in.
///
/// Destroying it without `stop` is like the end of the process: what is not committed is lost.
class Store final : public RoomStore,
                    private Committer::Listener,
                    private Archivist::Listener,
                    private Lookups::Listener,
                    private FileCheck::Listener,
                    private base::TurnTask,
                    private loop::Timer::Listener {
 public:
  class ValueListener {
   public:
    /// All values that were put into batches up to this one are on the disk. Called after each commit until
    /// all are.
    virtual void on_values_committed(BatchNumber batch) = 0;

   protected:
    ~ValueListener() = default;
  };

  /// All outlive it.
  struct Parts {
    loop::Loop& loop;
    base::Scheduler& scheduler;
    base::Log& log;
  };

  /// Blocks until the store can serve. The error is for the operator.
  [[nodiscard]] static base::Result<std::unique_ptr<Store>> open(const Parts& parts,
                                                                 const StoreOptions& options,
                                                                 const hub::RoomRules& rules);
  ~Store();

  /// Of the options those that a reload applies: commit_ms, queue_bytes, fold_bytes.
  void set_options(const StoreOptions& options);
  void set_rules(const hub::RoomRules& rules);

  void start(RoomStore::Listener& listener) override;
  [[nodiscard]] State state() const override { return state_.state(); }
  void load(std::string_view room, hub::Source source) override;
  void read(RoomId room, std::string_view name, std::uint64_t after, std::size_t back,
            std::size_t messages_max, std::size_t bytes_max, std::uint64_t ticket) override;
  void forget(RoomId room) override;
  [[nodiscard]] std::string& batch() override { return committer_->batch(); }
  [[nodiscard]] BatchNumber batch_number() const override { return committer_->batch_number(); }
  void appended() override { committer_->appended(); }
  [[nodiscard]] bool has_space_for(std::size_t bytes) const override {
    return committer_->has_space_for(bytes);
  }
  [[nodiscard]] std::size_t queued_bytes() const override { return committer_->queued_bytes(); }
  [[nodiscard]] bool has_room_ids() const override { return next_room_ <= room_id_max; }
  [[nodiscard]] RoomId next_room_id() override { return next_room_++; }

  /// The named values as they were at the start.
  [[nodiscard]] const std::vector<Archive::Value>& values() const { return values_; }
  /// Sets one with the batch that is being filled, in the order of the calls; an empty value removes it.
  /// `name` has no NUL. False if the queue is full.
  [[nodiscard]] bool put_value(std::string_view name, std::string_view value);
  /// `listener` outlives the store's last call, or is replaced by null before.
  void set_value_listener(ValueListener* listener) { value_listener_ = listener; }

  [[nodiscard]] StoreStats stats() const { return stats_; }
  [[nodiscard]] std::size_t tail_bytes() const { return tail_->bytes(); }
  [[nodiscard]] std::uint64_t disk_bytes_max() const { return options_.disk_bytes; }

  struct StopLimits {
    std::int64_t fold_ms = 5'000;  ///< no fold begins after that: what is left costs the next start some time
    std::int64_t end_ms = 10'000;  ///< how long the disk may take for all of it
  };
  enum class Stopped : std::uint8_t {
    committed,
    not_committed,         ///< something could not be written
    disk_does_not_answer,  ///< threads still wait for it: the process has to end now, by std::_Exit, without
                           ///< destroying anything that the store uses
  };
  /// The clean stop, when nothing is appended any more: commits and folds what is left, and notes that all is
  /// well. Blocks, for StopLimits::end_ms at most; it logs what could not be done. Nobody is called any more,
  /// and only the destructor may follow.
  [[nodiscard]] Stopped stop(const StopLimits& limits);

 private:
  Store(const Parts& parts, const StoreOptions& options, const hub::RoomRules& rules, StoreFiles files);

  void on_committed(const Committer::Committed& batch) override;
  void on_commit_failed(const Fault& fault, unsigned in_a_row) override;
  void on_reserve(bool is_there) override;
  void on_checkpoint_failed(const Fault& fault) override;
  void on_folded(const Archive::Folded& folded, const Archivist::Report& report,
                 std::int64_t took_us) override;
  void on_swept(bool has_more, const Archivist::Report& report) override;
  void on_archive_failed(const Fault& fault, bool is_fold) override;
  void on_load_done(std::string_view room, Lookups::Loaded&& loaded, std::int64_t took_us) override;
  void on_read_done(std::uint64_t ticket, Lookups::Page&& page, std::int64_t took_us) override;
  void on_file_checked(const FileCheck::Outcome& outcome) override;
  void run_at_turn_end() override;
  void on_timer(loop::Timer& timer) override;

  [[nodiscard]] AgeTime age_time();
  [[nodiscard]] Committer::Limits committer_limits() const;
  void note_report(const Archivist::Report& report);
  void note_damage(const std::vector<Damage>& damage);
  [[nodiscard]] hub::Refusal read_failure(const Fault& fault);
  /// Whether a line that was last written then may be written again, which is noted.
  [[nodiscard]] bool may_log(std::optional<std::int64_t>& logged_ms) const;
  /// Tells of a state that has changed.
  void show_state(State before, std::string_view why);
  void fold_if_due();

  // Closing (store_stop.cpp).
  void end_files(std::int64_t fold_ms);
  void log_no_answer(const StopLimits& limits, std::size_t records, std::size_t bytes);

  Parts parts_;
  StoreOptions options_;
  RoomStore::Listener* listener_ = nullptr;
  ValueListener* value_listener_ = nullptr;
  BatchNumber last_values_ = 0;  // the last batch that values were put into
  Directory directory_;
  std::size_t fold_bytes_;
  std::uint64_t history_wal_bytes_;  // that history.db is checkpointed at
  std::unique_ptr<Tail> tail_;
  std::unique_ptr<RoomsInUse> in_use_;
  RoomId next_room_;
  std::vector<Archive::Value> values_;
  AgeClock age_clock_;
  StateWatch state_;
  StoreStats stats_;
  std::int64_t tail_since_ms_;  // when the oldest part of the tail that is not being folded was committed
  std::int64_t fold_not_before_ms_;  // after a fold that failed
  std::int64_t swept_ms_;
  std::optional<std::int64_t> archive_failed_logged_ms_;
  std::optional<std::int64_t> read_failed_logged_ms_;
  std::unordered_set<std::string, base::StringHash, std::equal_to<>>
      refused_loads_;  // at the end of the turn
  std::vector<std::uint64_t> refused_reads_;
  std::atomic<bool> is_committed_ = false;  // set by the thread that closes the files, as is the next
  std::optional<Fault> close_fault_;
  loop::Timer tick_;
  std::unique_ptr<Archivist> archivist_;
  std::unique_ptr<Lookups> lookups_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<FileCheck> check_;
};

}  // namespace roomcast::store
