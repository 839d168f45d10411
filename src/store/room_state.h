#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hub/room_settings.h"
#include "store/chunk.h"
#include "store/retention.h"
#include "store/room_rows.h"

namespace roomcast::store {

/// Where a room stands: its row, its chunks, and what the tail adds to them.
class RoomState {
 public:
  RoomState(RoomRow row, std::vector<ChunkExtent> chunks);

  /// Adds the records of the tail, in their order, as often as they come: those that are in the row and the
  /// chunks already change nothing. Their bytes must outlive this.
  void add(std::span<const std::string_view> records);
  /// Notes that something is missing that should be there.
  void note_missing(const hub::Hole& hole) { add_hole(row_.holes, row_.floor, hole); }
  /// Raises the floor; chunks and messages that are wholly below it are no more part of it.
  void raise_floor(std::uint64_t floor);

  [[nodiscard]] const RoomRow& row() const { return row_; }
  [[nodiscard]] RoomRow& row() { return row_; }
  [[nodiscard]] std::vector<ChunkExtent>& chunks() { return chunks_; }
  [[nodiscard]] const std::vector<ChunkExtent>& chunks() const { return chunks_; }
  /// Those that are not in chunks, as they were published.
  [[nodiscard]] const std::vector<Record>& messages() const { return messages_; }
  [[nodiscard]] const Amendments& amendments() const { return amendments_; }

  /// Of the last message, or of the end of a hole behind it.
  [[nodiscard]] std::uint64_t top() const;
  [[nodiscard]] std::uint64_t ceiling() const;
  /// The time of the last message.
  [[nodiscard]] std::int64_t last_ms() const;
  /// Everything after it is there, whatever the limits say.
  [[nodiscard]] std::uint64_t floor() const { return row_.floor; }

  /// The floor by the count and age of messages, and by bytes as far as whole chunks tell: not higher than
  /// the exact one, and below no chunk that is past the limits as a whole.
  [[nodiscard]] std::uint64_t floor_by_chunks(const hub::HistoryLimits& limits, const AgeTime& now) const;

 private:
  void add(const Record& record);
  [[nodiscard]] std::uint64_t chunks_end() const { return chunks_.empty() ? 0 : chunks_.back().last; }

  RoomRow row_;
  std::vector<ChunkExtent> chunks_;
  std::vector<Record> messages_;
  Amendments amendments_;
};

}  // namespace roomcast::store
