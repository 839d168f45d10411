#pragma once

#include <cstdint>

#include "base/result.h"
#include "store/database.h"
#include "store/room_rows.h"

namespace roomcast::store {

/// Reads all rooms and chunks of history.db, a part at a time, each in a read transaction that lasts some
/// milliseconds: so the WAL can be used anew meanwhile. It finds what can't be read. Unlike
/// Database::quick_check it does not see pages that are in use twice or not at all.
class HistorySlices {
 public:
  /// The database outlives it.
  [[nodiscard]] static base::Result<HistorySlices, Fault> prepare(Database& database);

  /// Reads the next part: false if there is none. After a fault the same part can be read again.
  [[nodiscard]] base::Result<bool, Fault> read_next();

 private:
  HistorySlices(Database& database, RoomRows rows, Statement next_room);
  [[nodiscard]] base::Result<bool, Fault> find_next_room();

  Database* database_;
  RoomRows rows_;
  Statement next_room_;
  RoomId room_ = 0;         // that is being read; 0: none yet
  std::uint64_t read_ = 0;  // its chunks up to this offset have been read
};

}  // namespace roomcast::store
