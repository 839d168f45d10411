#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hub/room_settings.h"
#include "store/database.h"
#include "store/retention.h"
#include "store/room_rows.h"
#include "store/room_state.h"
#include "store/room_store.h"
#include "store/tail.h"

namespace roomcast::store {

/// Reads rooms from history.db and the tail, over a read-only connection. For one thread at a time; calls
/// block. It sees everything that was in the tail when it was called. A fault leaves it as it was: the call
/// can be made again.
class ArchiveReader {
 public:
  struct Options {
    std::string path;
    std::size_t cache_bytes = std::size_t{8} << 20U;
  };
  struct Loaded {
    RoomExtent extent;
    std::vector<Damage> damage{};  ///< for Archive::quarantine
  };
  struct Page {
    RecordPage page;
    std::vector<Damage> damage{};  ///< likewise
  };
  /// Keys that a room's load returns, at most, and how old they may be.
  static constexpr std::size_t keys_max = 1'000;
  static constexpr std::int64_t keys_ms = 300'000;
  static constexpr std::size_t page_bytes_max = std::size_t{128} << 10U;
  /// So much of a room is looked through for removed messages that do not count; what is before that counts
  /// by places.
  static constexpr std::size_t back_bytes_max = std::size_t{1} << 20U;

  /// The file must have been made by Archive::open. `tail` and `in_use` outlive the reader.
  [[nodiscard]] static base::Result<ArchiveReader, Fault> open(const Options& options, const Tail& tail,
                                                               RoomsInUse& in_use);

  /// Where the room of that name stands; one with an id is in use from then on. One that was never written
  /// has no id, and an epoch that is made of the store's id, its generation and the name. `wall_ms`: for the
  /// age of keys.
  [[nodiscard]] base::Result<Loaded, Fault> load(std::string_view name, const hub::RoomRules& rules,
                                                 const AgeTime& now, std::int64_t wall_ms);
  /// The loop does not use the room any more.
  void release(RoomId room) { in_use_->release(room); }
  /// A page of what the room has after `after`, with nothing missing in between: it ends before a hole.
  /// `bytes_max` of records, page_bytes_max at most; one message at least, if there is one. Of a room that
  /// is not there (any more): nothing, with its floor at `after`. With `back` it begins so many messages
  /// before `after`: see RoomStore::read.
  [[nodiscard]] base::Result<Page, Fault> read(RoomId room, std::string_view name, std::uint64_t after,
                                               std::size_t messages_max, std::size_t bytes_max,
                                               const hub::RoomRules& rules, const AgeTime& now,
                                               std::size_t back = 0);

 private:
  ArchiveReader(Database database, RoomRows rows, Statement meta, const Tail& tail, RoomsInUse& in_use);
  [[nodiscard]] base::Result<Loaded, Fault> load(std::optional<RoomId> id, std::string_view name,
                                                 const hub::RoomRules& rules, const AgeTime& now,
                                                 std::int64_t wall_ms);
  [[nodiscard]] base::Result<std::optional<RoomState>, Fault> find_room(RoomId room, const TailRecords& tail);

  Database database_;
  RoomRows rows_;
  Statement meta_;
  const Tail* tail_;
  RoomsInUse* in_use_;
};

}  // namespace roomcast::store
