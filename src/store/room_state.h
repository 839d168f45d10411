#pragma once

#include <algorithm>
#include <cstddef>
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
  /// Likewise of a chunk that has the offsets from `first` to `last`, where only these could be read.
  void note_gaps(std::uint64_t first, std::uint64_t last, std::span<const Record> messages);
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
  [[nodiscard]] std::uint64_t floor() const;

  /// What each limit says about where the floor is; none is lower than floor().
  struct Floors {
    std::uint64_t physical = 0;
    std::uint64_t count = 0;  ///< exact
    std::uint64_t bytes = 0;  ///< not higher than the exact one: some messages of the chunk behind it may go
    std::uint64_t age = 0;    ///< likewise
    [[nodiscard]] std::uint64_t highest() const { return std::max({physical, count, bytes, age}); }
  };
  /// As far as can be told without reading chunks. Ages count only with AgeTime::may_delete.
  [[nodiscard]] Floors floors(const hub::HistoryLimits& limits, const AgeTime& now) const;

 private:
  void add(const Record& record);
  void cover(std::uint64_t offset);
  [[nodiscard]] std::uint64_t chunks_end() const { return chunks_.empty() ? 0 : chunks_.back().last; }
  [[nodiscard]] std::uint64_t floor_by_bytes(std::size_t bytes) const;
  [[nodiscard]] std::uint64_t floor_by_age(std::int64_t age_ms, std::int64_t now_ms) const;

  RoomRow row_;
  std::vector<ChunkExtent> chunks_;
  std::vector<Record> messages_;
  Amendments amendments_;
};

}  // namespace roomcast::store
