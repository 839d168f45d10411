#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "hub/room_settings.h"
#include "store/chunk.h"
#include "store/room_rows.h"
#include "store/room_state.h"
#include "store/room_store.h"

namespace roomcast::store {

/// Reads messages of one room, those in chunks and those in the tail alike. What a damaged chunk has lost is
/// noted in the room's state as a hole.
class RoomPage {
 public:
  /// All outlive it. `damage` gets the chunks that are found damaged.
  RoomPage(RoomRows& rows, RoomState& state, std::vector<Damage>& damage)
      : rows_(rows), state_(state), damage_(damage) {}

  /// The floor that the limits put at the time `now_ms`, exactly.
  [[nodiscard]] base::Result<std::uint64_t, Fault> find_floor(const hub::HistoryLimits& limits,
                                                              std::int64_t now_ms);
  /// The keys of messages that are newer than `after_ms`, the last `keys_max` of them, oldest first.
  [[nodiscard]] base::Result<std::vector<KnownKey>, Fault> keys(std::int64_t after_ms, std::size_t keys_max);
  /// The offset after which come the last `messages` messages up to `before`, without those that are removed;
  /// not less than `floor`. Chunks of `bytes_max` are looked through for removed ones, at most; in those
  /// before that the removed ones count, too.
  [[nodiscard]] base::Result<std::uint64_t, Fault> find_back(std::uint64_t before, std::uint64_t messages,
                                                             std::uint64_t floor, std::uint64_t bytes_max);
  /// The first messages after `after`, with amendments applied, until the limits or a hole. Removed ones are
  /// places without content there, 500 at most, and do not count as messages.
  [[nodiscard]] base::Result<std::string, Fault> read(std::uint64_t after, std::size_t messages_max,
                                                      std::size_t bytes_max);

 private:
  /// The messages of one chunk: valid until the next one is read.
  [[nodiscard]] base::Result<const std::vector<Record>*, Fault> messages_of(const ChunkExtent& extent);

  RoomRows& rows_;
  RoomState& state_;
  std::vector<Damage>& damage_;
  std::int64_t chunk_ = 0;  // whose records and content these are; 0: none yet
  std::string records_;
  std::vector<Record> messages_;
};

}  // namespace roomcast::store
