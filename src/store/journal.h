#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/database.h"

namespace roomcast::store {

/// The journal, journal.db: one row for each batch, which is what a publish waits for. Its only writer, for
/// one thread at a time; calls block. After a fault it may be used on, or be opened anew with the same
/// options; either way nothing of the call that failed is in it, or all of it.
class Journal {
 public:
  /// Of the file; a higher one is refused.
  static constexpr std::int64_t format = 1;
  static constexpr std::uint32_t application_id = 0x52634A6F;  // "RcJo"

  struct Options {
    std::string path;
    bool may_create = true;  ///< makes the file if it is missing
    bool secure_delete = false;
    std::size_t cache_bytes = std::size_t{2} << 20U;
    std::uint64_t bytes_max = 0;  ///< of the main file; 0: no limit
    int busy_ms = 5'000;          ///< see Database::Options
    /// A WAL of more than that is checkpointed.
    std::uint64_t wal_bytes = std::uint64_t{48} << 20U;
  };

  /// Takes the batches that a journal has when it is opened.
  class Replay {
   public:
    virtual void on_batch(std::uint64_t seq, std::string&& records) = 0;

   protected:
    ~Replay() = default;
  };

  /// A fault's code is `corrupt` where the file is damaged,
  /// `other` where it is not one of ours or of a newer format.
  [[nodiscard]] static base::Result<Journal, Fault> open(const Options& options);

  /// Every batch after `after`, in their order. A record whose checksum is wrong is a fault, and so is a
  /// batch that is missing: their numbers follow each other.
  [[nodiscard]] std::optional<Fault> replay(std::uint64_t after, Replay& to);

  /// Batches that are not needed any more: those up to `upto`, the oldest `most` of them.
  struct Release {
    std::uint64_t upto = 0;
    std::uint64_t most = 0;
  };
  /// Commits a batch, and drops others with the same write; it survives a power cut when this returns without
  /// a fault. `seq` is that of the last one, and 1. One that is there already is written once more, so a
  /// batch can be appended again after a fault that left open whether it was committed.
  [[nodiscard]] std::optional<Fault> append(std::uint64_t seq, std::string_view records, const Release& also);
  [[nodiscard]] std::optional<Fault> append(std::uint64_t seq, std::string_view records) {
    return append(seq, records, Release{});
  }
  [[nodiscard]] std::optional<Fault> release(const Release& which);
  /// Whether a batch up to `upto` is still there.
  [[nodiscard]] bool has_up_to(std::uint64_t upto) const { return first_seq_ <= std::min(upto, last_seq_); }
  /// Whether the WAL has grown enough for a checkpoint; half of that is enough where the last append has
  /// dropped the last of what was to be released, since then there is least to be moved.
  [[nodiscard]] bool wants_checkpoint() const {
    return database_.wal_bytes() >= (has_just_released_ ? wal_bytes_ / 2 : wal_bytes_);
  }
  /// Of a file that is mostly free only what is in use is moved, and the rest is given back. Not at the same
  /// time as a write of another connection, of which there is none: see Database.
  [[nodiscard]] std::optional<Fault> checkpoint(Database::CheckpointMode mode);

  /// What the last `append` waited for the disk to sync, in microseconds.
  [[nodiscard]] std::int64_t sync_us() const { return sync_us_; }
  /// Of the last batch that was appended since the file was made; 0 without one.
  [[nodiscard]] std::uint64_t last_seq() const { return last_seq_; }
  [[nodiscard]] std::uint64_t bytes_on_disk() const { return database_.bytes_on_disk(); }

 private:
  Journal(Database database, Statement append, Statement release, std::uint64_t first_seq,
          std::uint64_t last_seq, std::uint64_t wal_bytes);
  [[nodiscard]] Fault corrupt(const std::string& what) const;
  [[nodiscard]] std::optional<Fault> run_release(const Release& which);
  void note_released(const Release& which);
  /// Whether rewriting what is in use is less than moving what is free.
  [[nodiscard]] bool is_mostly_free();
  /// The last one that `which` drops.
  [[nodiscard]] std::uint64_t end_of(const Release& which) const;

  Database database_;
  Statement append_;
  Statement release_;
  std::uint64_t first_seq_;  ///< everything before it has been dropped
  std::uint64_t last_seq_;
  std::uint64_t wal_bytes_;
  std::int64_t sync_us_ = 0;
  bool has_just_released_ = false;
};

}  // namespace roomcast::store
