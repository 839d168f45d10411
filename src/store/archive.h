#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "hub/room_settings.h"
#include "store/database.h"
#include "store/record.h"
#include "store/retention.h"
#include "store/room_edit.h"
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
    /// For a file that is made anew: 16 bytes, random. Empty: none is made.
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

  using Evicted = store::Evicted;
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
  /// Frees space by forgetting rooms that have nothing left and are not in use, and then by evicting the
  /// oldest chunks until `bytes` more fit below 90 % of Options::bytes_max, or nothing is left to evict.
  /// `fold` does this by itself.
  [[nodiscard]] std::optional<Fault> make_space(std::uint64_t bytes);

  /// Takes a damaged chunk out: what is whole in it stays, the rest becomes a hole, and its bytes go into the
  /// table `quarantine`, which has 8 MiB at most. Of one that is whole, or is not there, nothing happens.
  [[nodiscard]] std::optional<Fault> quarantine(const Damage& damage, std::int64_t now_ms);

  /// Since it was opened.
  [[nodiscard]] const Evicted& evicted() const { return evicted_; }
  /// What the file and its WAL take of the disk.
  [[nodiscard]] std::uint64_t bytes_on_disk() const { return database_.bytes_on_disk(); }
  /// See Database.
  [[nodiscard]] std::uint64_t wal_bytes() const { return database_.wal_bytes(); }

 private:
  struct Parts {
    RoomRows rows;
    RoomRowsWriter writer;
    Statement put_meta;
    Statement put_value;
    Statement remove_value;
    Statement oldest_chunks;
    Statement due_rooms;
    Statement rooms_from;
    Statement empty_rooms;
  };
  /// The transaction of a call, and what it has done so far.
  struct Work {
    Work(Transaction transaction_, Meta meta_)
        : transaction(std::move(transaction_)), meta(std::move(meta_)) {}
    Transaction transaction;
    Meta meta;  ///< as it will be, but for the counts of `tally`
    EditTally tally{};
    std::uint64_t orphans = 0;
  };

  Archive(Options options, Database database, Parts parts, const Tail& tail, RoomsInUse& in_use);
  [[nodiscard]] static std::optional<Fault> prepare_file(Database& database, const Options& options);
  [[nodiscard]] static base::Result<Parts, Fault> prepare(Database& database);

  [[nodiscard]] std::optional<Fault> read_meta();
  [[nodiscard]] std::optional<Fault> put_meta(std::string_view key, std::uint64_t value);
  [[nodiscard]] base::Result<Work, Fault> begin_work();
  /// Writes what `work` makes of meta_, commits, and takes note of it.
  [[nodiscard]] std::optional<Fault> commit(Work& work);
  [[nodiscard]] std::optional<Fault> checkpoint_if_due();

  [[nodiscard]] std::optional<Fault> fold_values(Work& work, const std::vector<std::string_view>& records);
  [[nodiscard]] std::optional<Fault> fold_room(Work& work, RoomId room,
                                               const std::vector<std::string_view>& records,
                                               const hub::RoomRules& rules, const AgeTime& now);
  [[nodiscard]] base::Result<std::vector<RoomId>, Fault> rooms_to_sweep(const AgeTime& now);
  [[nodiscard]] std::optional<Fault> sweep_room(Work& work, RoomId room, const hub::RoomRules& rules,
                                                const AgeTime& now);
  /// Forgets rooms that have nothing left, however short a time ago, of a part of all.
  [[nodiscard]] std::optional<Fault> purge_some();
  [[nodiscard]] base::Result<bool, Fault> evict(std::uint64_t bytes);
  /// The room as it is on the disk; nothing if it is not there.
  [[nodiscard]] base::Result<std::optional<RoomState>, Fault> find_room(RoomId room);

  Options options_;
  Database database_;
  Parts parts_;
  const Tail* tail_;
  RoomsInUse* in_use_;
  Meta meta_;
  Evicted evicted_;
  std::optional<RoomId> next_swept_ = 0;  ///< of the rooms whose limits may have changed; nothing: none
  RoomId next_purged_ = 1;
};

}  // namespace roomcast::store
