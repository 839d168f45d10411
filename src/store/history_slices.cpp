#include "store/history_slices.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace roomcast::store {

namespace {

constexpr std::chrono::milliseconds slice_time{20};

}  // namespace

base::Result<HistorySlices, Fault> HistorySlices::prepare(Database& database) {
  base::Result<RoomRows, Fault> rows = RoomRows::prepare(database);
  if (!rows) return std::move(rows.error());
  base::Result<Statement, Fault> next =
      database.prepare("SELECT id FROM room WHERE id>?1 ORDER BY id LIMIT 1");
  if (!next) return std::move(next.error());
  return HistorySlices(database, std::move(*rows), std::move(*next));
}

HistorySlices::HistorySlices(Database& database, RoomRows rows, Statement next_room)
    : database_(&database), rows_(std::move(rows)), next_room_(std::move(next_room)) {}

base::Result<bool, Fault> HistorySlices::find_next_room() {
  next_room_.bind_number(1, room_);
  const base::Result<bool, Fault> has_row = next_room_.step();
  if (!has_row) return has_row.error();
  if (!*has_row) return false;
  room_ = static_cast<RoomId>(next_room_.number(0));
  read_ = 0;
  next_room_.reset();
  base::Result<std::optional<RoomRow>, Fault> row = rows_.find(room_);
  if (!row) return std::move(row.error());
  return true;
}

base::Result<bool, Fault> HistorySlices::read_next() {
  const auto end = std::chrono::steady_clock::now() + slice_time;
  const base::Result<Transaction, Fault> transaction =
      Transaction::begin(*database_, Transaction::Kind::read);
  if (!transaction) return transaction.error();
  while (true) {
    // Of a room that is gone meanwhile there are none.
    const base::Result<std::vector<ChunkExtent>, Fault> chunks = rows_.chunks(room_);
    if (!chunks) return chunks.error();
    for (const ChunkExtent& chunk : *chunks) {
      if (chunk.last <= read_) continue;
      const base::Result<std::string, Fault> records = rows_.records(chunk.id);
      if (!records) return records.error();
      read_ = chunk.last;
      if (std::chrono::steady_clock::now() >= end) return true;
    }
    base::Result<bool, Fault> has_room = find_next_room();
    if (!has_room || !*has_room) return has_room;
    if (std::chrono::steady_clock::now() >= end) return true;
  }
}

}  // namespace roomcast::store
