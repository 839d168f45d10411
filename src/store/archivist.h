#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "hub/room_settings.h"
#include "loop/loop.h"
#include "loop/worker_thread.h"
#include "store/archive.h"
#include "store/directory.h"
#include "store/retention.h"
#include "store/tail.h"

namespace roomcast::store {

/// Runs the archive on a thread of its own: folds, what retention forbids, quarantine. Belongs to the loop's
/// thread. Nobody waits for its answers. After three failures in a row the file is opened anew, as the
/// committer does it.
class Archivist {
 public:
  /// What the archive says of itself after a job.
  struct Report {
    Archive::Meta meta{};
    Archive::Evicted evicted{};
    std::uint64_t disk_bytes = 0;  ///< of all files of the store
    std::uint64_t wal_bytes = 0;   ///< of history.db that are in use
  };

  class Listener {
   public:
    /// The batches up to `folded.seq` are in the history, and have left the tail.
    virtual void on_folded(const Archive::Folded& folded, const Report& report, std::int64_t took_us) = 0;
    virtual void on_swept(bool has_more, const Report& report) = 0;
    /// The fold that was asked for, a sweep or a quarantine has failed. A fold is to be asked for again.
    virtual void on_archive_failed(const Fault& fault, bool is_fold) = 0;
    /// As in Committer::Listener; it is never made again here.
    virtual void on_reserve(bool is_there) = 0;

   protected:
    ~Listener() = default;
  };

  /// All outlive it.
  struct Parts {
    loop::Loop& loop;
    const Directory& directory;
    Tail& tail;
    RoomsInUse& in_use;
    Listener& listener;
  };

  Archivist(const Parts& parts, Archive archive, Archive::Options options, const hub::RoomRules& rules);
  /// Waits for what is under way.
  ~Archivist();

  void set_rules(const hub::RoomRules& rules);
  /// Folds what is in the tail, unless a fold is under way.
  void fold(const AgeTime& now);
  [[nodiscard]] bool is_folding() const { return is_folding_; }
  /// A slice of what is too old, unless one is under way.
  void sweep(const AgeTime& now);
  /// Dropped if too much of that is waiting: whoever reads the chunk again reports it again.
  void quarantine(const std::vector<Damage>& damage, std::int64_t now_ms);

  /// The end: stops the thread, and folds what is left if `folds`; then notes that all is well if `is_clean`.
  /// What has been folded; a fault if something has failed.
  [[nodiscard]] base::Result<std::uint64_t, Fault> finish(const AgeTime& now, bool folds, bool is_clean);

 private:
  class Job;
  class RulesJob;
  class FoldJob;
  class SweepJob;
  class QuarantineJob;

  static constexpr std::size_t jobs_max = 64;

  /// What the thread uses, and nobody else but in `finish`, when it has ended.
  struct Desk {
    const Directory& directory;
    Tail& tail;
    RoomsInUse& in_use;
    Archive::Options options;
    std::optional<Archive> archive;  ///< empty: to be opened anew
    hub::RoomRules rules;
    unsigned failures = 0;             ///< in a row
    std::uint64_t marked_seq = 0;      ///< rooms created in batches up to it are marked as in use
    Archive::Meta meta{};              ///< of the archive that is to be opened anew
    Archive::Evicted evicted{};        ///< by those before
    bool has_dropped_reserve = false;  ///< by the last fold

    [[nodiscard]] Report report() const;
    /// Before each use of the archive: opens it if it is missing.
    [[nodiscard]] std::optional<Fault> make_ready();
    /// After each use of it, with how that has ended.
    void note(const std::optional<Fault>& fault);
    [[nodiscard]] base::Result<Archive::Swept, Fault> sweep(const AgeTime& now);
    [[nodiscard]] std::optional<Fault> quarantine(const Damage& damage, std::int64_t now_ms);
    [[nodiscard]] base::Result<Archive::Folded, Fault> fold(const TailSegment& segment, const AgeTime& now);
    /// Everything that is in the tail when it is called. Gives the reserve up if the disk is full: what
    /// leaves the tail leaves the journal, too.
    [[nodiscard]] base::Result<Archive::Folded, Fault> fold(const AgeTime& now);
  };

  Parts parts_;
  Desk desk_;
  bool is_folding_ = false;
  bool is_sweeping_ = false;
  std::unique_ptr<loop::WorkerThread> thread_;  // the last: it ends first
};

}  // namespace roomcast::store
