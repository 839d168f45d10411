#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "hub/room_settings.h"
#include "store/database.h"
#include "store/record.h"
#include "store/retention.h"
#include "store/room_rows.h"
#include "store/room_state.h"
#include "store/tail.h"

namespace roomcast::store {

/// The archivist's hold on history.db: its only writer, and the only one that checkpoints it. For one thread
/// at a time; calls block. After a fault nothing of the call has happened but whole parts of it, each of
/// which is right by itself: it can be called again with the same, also on another Archive that is opened
/// anew.
class Archive {
 public:
  /// Of the file; a higher one is refused.
  static constexpr std::int64_t format = 1;
  static constexpr std::uint32_t application_id = 0x52634869;  // "RcHi"

  struct Options {
    std::string path;
    bool secure_delete = false;
    std::size_t cache_bytes = std::size_t{8} << 20U;
    /// Of the main file. At 90 % of it the oldest chunks go, until 85 %.
    std::uint64_t bytes_max = std::uint64_t{1} << 30U;
    /// A WAL of more than that is checkpointed.
    std::uint64_t wal_bytes = std::uint64_t{32} << 20U;
    /// For a file that is made anew: 16 bytes, random.
    std::string new_store_id{};
  };

  /// What the file says of itself.
  struct Meta {
    std::string store_id;
    std::uint64_t generation = 0;  ///< raised whenever the epochs of rooms never written must not come again
    bool is_clean = true;          ///< nothing has used the file since the last `end`
    std::uint64_t folded_seq = 0;  ///< of the journal: everything up to it is here
    RoomId next_room = 1;          ///< higher than that of any room which is or was here
    std::uint64_t rooms = 0;
    std::uint64_t messages = 0;  ///< on the disk; some may be past the limits of their room already
  };

  /// Messages that have gone from the disk, by what forbade them first.
  struct Evicted {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    std::uint64_t age = 0;
    std::uint64_t disk = 0;
    friend bool operator==(const Evicted&, const Evicted&) = default;
  };
  struct Folded {
    std::uint64_t seq = 0;         ///< the journal is not needed up to here
    std::uint64_t orphans = 0;     ///< records of rooms that nobody created: dropped, a mistake of the writer
    std::vector<Damage> damage{};  ///< chunks that could not be read in whole, already quarantined
  };
  struct Swept {
    bool has_more = false;   ///< another slice is due now
    std::size_t purged = 0;  ///< rooms that are forgotten
  };
  struct Value {
    std::string name;
    std::string value;
  };

  /// Opens the file; makes it if it is missing. A fault's code is `corrupt` where the file is damaged,
  /// `other` where it is not one of ours or of a newer format.
  /// `tail` and `in_use` outlive the archive.
  [[nodiscard]] static base::Result<Archive, Fault> open(Options options, const Tail& tail,
                                                         RoomsInUse& in_use);

  [[nodiscard]] const Meta& meta() const { return meta_; }
  /// The named values, without those of the tail.
  [[nodiscard]] base::Result<std::vector<Value>, Fault> values();

  /// Before anything is served: notes that the file is in use, and raises the generation if the last use has
  /// not ended well. Durable when it returns.
  [[nodiscard]] std::optional<Fault> begin();
  /// At a clean stop, after the last fold: checkpoints, and notes that all is well.
  [[nodiscard]] std::optional<Fault> end();
  /// Raises the generation: a room's extent is not known any more.
  [[nodiscard]] std::optional<Fault> raise_generation();

  /// Takes over what was cut off the tail; where that has happened already it does nothing.
  [[nodiscard]] base::Result<Folded, Fault> fold(const TailSegment& segment, const hub::RoomRules& rules,
                                                 const AgeTime& now);
  /// A slice of what has become too old: 500 rooms or chunks at most. Then of rooms that have nothing left
  /// and were not used for 30 days, if they are not in use.
  [[nodiscard]] base::Result<Swept, Fault> sweep(const hub::RoomRules& rules, const AgeTime& now);
  /// All rooms are to be swept once, since their limits may be others now. So it is at the start, too.
  void sweep_all() { next_swept_ = 0; }
  /// Frees space by evicting the oldest chunks until `bytes` more fit below 90 % of Options::bytes_max, or
  /// nothing is left to evict. `fold` does this by itself.
  [[nodiscard]] std::optional<Fault> make_space(std::uint64_t bytes);

  /// Takes a damaged chunk out: what is whole in it stays, the rest becomes a hole, and its bytes go into the
  /// table `quarantine`, which has 8 MiB at most. Of one that is whole, or is not there, nothing happens.
  [[nodiscard]] std::optional<Fault> quarantine(const Damage& damage, std::int64_t now_ms);

  /// Since it was opened.
  [[nodiscard]] const Evicted& evicted() const { return evicted_; }
  /// What the file and its WAL take of the disk.
  [[nodiscard]] std::uint64_t bytes_on_disk() const { return database_.bytes_on_disk(); }

 private:
  Archive(Options options, Database database, RoomRows rows, RoomRowsWriter writer);

  [[nodiscard]] std::optional<Fault> read_meta();
  [[nodiscard]] std::optional<Fault> write_meta(const Meta& meta);
  [[nodiscard]] std::optional<Fault> checkpoint_if_due();

  Options options_;
  Database database_;
  RoomRows rows_;
  RoomRowsWriter writer_;
  Meta meta_;
  Evicted evicted_;
  RoomId next_swept_ = 0;  ///< of the rooms that are swept because the limits may have changed
};

}  // namespace roomcast::store
