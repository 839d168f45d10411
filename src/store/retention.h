#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "hub/engine.h"
#include "store/record.h"

namespace roomcast::store {

/// The time that ages are judged by.
struct AgeTime {
  std::int64_t now_ms = 0;  ///< wall clock; a jump of it counts only once it has lasted
  bool may_delete = false;  ///< if not, what is too old is not shown, but stays on the disk
};

/// Tells how far the wall clock can be trusted. What a wrong clock calls too old must not be deleted:
/// deletion by age rests for the first ten minutes, and when the clock has moved by more than a minute
/// against the monotonic one, until it has stayed there for as long. Meanwhile time goes on from where it was
/// before.
class AgeClock {
 public:
  static constexpr std::int64_t jump_ms = 60'000;
  static constexpr std::int64_t rest_ms = 600'000;

  AgeClock(std::int64_t wall_ms, std::int64_t monotonic_ms);

  /// To be called at least once a minute or so; the monotonic time never goes back.
  AgeTime at(std::int64_t wall_ms, std::int64_t monotonic_ms);
  /// How often the wall clock has jumped.
  [[nodiscard]] std::uint64_t jumps() const { return jumps_; }

 private:
  // Wall minus monotonic.
  std::int64_t trusted_;   // that ages are judged by
  std::int64_t seen_;      // the last time
  std::int64_t since_ms_;  // monotonic: of the start, or of the last jump
  bool is_apart_ = false;  // what was seen has jumped away from what is trusted
  std::uint64_t jumps_ = 0;
};

/// The offset after which come the last `messages` messages up to `top`; in holes are none. Not less than
/// `floor`.
[[nodiscard]] std::uint64_t floor_by_count(std::uint64_t floor, std::uint64_t top,
                                           std::span<const hub::Hole> holes, std::size_t messages);

/// Most holes that a room has; older ones merge with the floor.
inline constexpr std::size_t holes_max = 16;
/// Adds a hole to those of a room, which are in order, do not touch and end after `floor`. Raises `floor` to
/// the end of the oldest when there are too many.
void add_hole(std::vector<hub::Hole>& holes, std::uint64_t& floor, const hub::Hole& hole);
/// What of them is after `floor`.
[[nodiscard]] std::vector<hub::Hole> holes_after(std::uint64_t floor, std::span<const hub::Hole> holes);

/// Messages that have gone from the disk, by what forbade them first.
struct Evicted {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  std::uint64_t age = 0;
  std::uint64_t disk = 0;
  Evicted& operator+=(const Evicted& other) {
    count += other.count;
    bytes += other.bytes;
    age += other.age;
    disk += other.disk;
    return *this;
  }
  friend bool operator==(const Evicted&, const Evicted&) = default;
};

/// How store.disk_bytes is divided among the files of the directory. Where it is small the other limits are
/// lowered: 128 MiB leave 6.4 MiB for each.
struct DiskShares {
  std::uint64_t history_bytes = 0;      ///< the main file of the history, at most
  std::uint64_t history_wal_bytes = 0;  ///< its WAL: past it, it is checkpointed
  std::uint64_t journal_bytes = 0;      ///< the main file of the journal, at most
  std::uint64_t journal_wal_bytes = 0;  ///< its WAL: past it, it is checkpointed
  std::uint64_t fold_bytes = 0;         ///< store.fold_bytes
  std::uint64_t queue_bytes = 0;        ///< store.queue_bytes
  static constexpr std::uint64_t reserve_bytes = std::uint64_t{8} << 20U;
};
[[nodiscard]] DiskShares share_disk(std::uint64_t disk_bytes, std::uint64_t fold_bytes,
                                    std::uint64_t queue_bytes);

/// The rooms that the loop uses: their rows must stay, since it may publish into them. Counted: one for each
/// load that has found the room, one for its creation, less one each time that the loop has forgotten it;
/// these may come in any order, until a created room has its row. Shared by the threads of the reader, who
/// marks a room before it reads its row, and of the archivist, who holds the lock from looking at the marks
/// until rows are deleted.
class RoomsInUse {
 public:
  void mark(RoomId room);
  /// The room's record is in the tail, before its row is written. Of those with lower numbers than
  /// `set_first_created` says it is left from before the start.
  void mark_created(RoomId room);
  void set_first_created(RoomId room) { first_created_ = room; }
  void release(RoomId room);
  [[nodiscard]] std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex_); }
  /// Only with the lock.
  [[nodiscard]] bool has(RoomId room) const;

 private:
  void add(RoomId room, int by);

  mutable std::mutex mutex_;
  std::unordered_map<RoomId, int> counts_;  // without those of 0
  RoomId first_created_ = 0;
};

}  // namespace roomcast::store
