#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hub/room_settings.h"
#include "store/chunk.h"
#include "store/retention.h"
#include "store/room_rows.h"
#include "store/room_state.h"

namespace roomcast::store {

/// What has been done to rooms in one transaction; it counts once that is committed.
struct EditTally {
  std::int64_t messages = 0;  ///< more than before
  std::int64_t rooms = 0;
  Evicted evicted{};
  std::size_t chunks_dropped = 0;
  std::uint64_t bytes_written = 0;
  std::vector<Damage> damage{};  ///< chunks that have been quarantined
};

/// Changes one room on the disk, within a transaction of its caller. After a fault it must not be used, and
/// the transaction not be committed.
class RoomEdit {
 public:
  /// How long a room that has nothing left is remembered.
  static constexpr std::int64_t idle_ms = std::int64_t{30} * 24 * 3'600 * 1'000;

  /// `state`: from the disk, without the tail. All others outlive the edit.
  RoomEdit(RoomRows& rows, RoomRowsWriter& writer, EditTally& tally, RoomState state, bool is_new);

  /// Of the tail: see RoomState::add.
  void add(std::span<const std::string_view> records) { state_.add(records); }
  [[nodiscard]] const RoomState& state() const { return state_; }

  /// Drops chunks that are wholly below the floors, `chunks_max` at most.
  [[nodiscard]] std::optional<Fault> drop_below(const RoomState::Floors& floors, std::size_t chunks_max);
  /// Drops chunks up to the one that ends with `last`, because of the disk.
  [[nodiscard]] std::optional<Fault> evict_up_to(std::uint64_t last);
  /// Writes chunks again that amendments of the tail concern.
  [[nodiscard]] std::optional<Fault> amend(std::int64_t now_ms);
  /// Writes the tail's messages after `floor` into chunks, perhaps together with the small chunks before
  /// them.
  [[nodiscard]] std::optional<Fault> append(const RoomState::Floors& floors, std::int64_t now_ms);
  /// Takes a chunk out, if it is damaged: what can be read of it stays.
  [[nodiscard]] std::optional<Fault> repair(std::int64_t chunk, std::int64_t now_ms);
  /// The end: writes the row, if it has changed. `age_ms`: of the room's history, where that is known.
  [[nodiscard]] std::optional<Fault> finish(std::optional<std::int64_t> age_ms = std::nullopt);
  /// The end of a sweep: notes when the next one is due. A room that is in use although it was idle for so
  /// long is looked at again in a day.
  [[nodiscard]] std::optional<Fault> finish_swept(std::int64_t age_ms, std::int64_t now_ms);

 private:
  [[nodiscard]] std::optional<Fault> drop_first(std::size_t count);
  /// Reads a chunk. If it is damaged it is copied to the quarantine, and what is missing becomes a hole.
  /// `records`: where its bytes are put.
  [[nodiscard]] base::Result<ChunkContent, Fault> take(const ChunkExtent& extent, std::string& records,
                                                       std::int64_t now_ms);
  [[nodiscard]] std::optional<Fault> rewrite(std::size_t index, std::int64_t now_ms);
  [[nodiscard]] std::optional<Fault> write(std::vector<Chunk>&& chunks, std::vector<ChunkExtent>& extents);
  [[nodiscard]] std::size_t small_run() const;
  void note_if_empty();
  [[nodiscard]] std::optional<Fault> put_row();

  RoomRows& rows_;
  RoomRowsWriter& writer_;
  EditTally& tally_;
  RoomState state_;
  RoomRow row_before_;
  bool is_new_;
  bool had_chunks_;
};

}  // namespace roomcast::store
