#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hub/engine.h"
#include "store/chunk.h"
#include "store/database.h"

namespace roomcast::store {

/// A room's row in history.db. It is written when something changes that can't be seen in the chunks, so
/// `top`, `ceiling`, `floor` and `last_ms` may be lower than what the chunks say: RoomState has both.
struct RoomRow {
  RoomId id = 0;
  std::string name{};
  std::uint64_t epoch = 0;
  std::uint64_t top = 0;
  std::uint64_t ceiling = 0;
  std::uint64_t floor = 0;
  std::int64_t last_ms = 0;
  std::int64_t due_ms = 0;  ///< when to look what has become too old, or whether the room can go
  std::vector<hub::Hole> holes{};
  friend bool operator==(const RoomRow&, const RoomRow&) = default;
};

/// Reads the tables of rooms and chunks over one connection, within the transaction that is open.
class RoomRows {
 public:
  [[nodiscard]] static base::Result<RoomRows, Fault> prepare(Database& database);

  [[nodiscard]] base::Result<std::optional<RoomRow>, Fault> find(std::string_view name);
  [[nodiscard]] base::Result<std::optional<RoomRow>, Fault> find(RoomId id);
  /// All chunks of the room, oldest first.
  [[nodiscard]] base::Result<std::vector<ChunkExtent>, Fault> chunks(RoomId room);
  /// The records of a chunk; empty if there is none.
  [[nodiscard]] base::Result<std::string, Fault> records(std::int64_t chunk);

 private:
  RoomRows(Statement by_name, Statement by_id, Statement chunks, Statement records);
  [[nodiscard]] static base::Result<std::optional<RoomRow>, Fault> read_row(Statement& statement);

  Statement by_name_;
  Statement by_id_;
  Statement chunks_;
  Statement records_;
};

/// Writes them, likewise.
class RoomRowsWriter {
 public:
  [[nodiscard]] static base::Result<RoomRowsWriter, Fault> prepare(Database& database);

  [[nodiscard]] std::optional<Fault> put(const RoomRow& row);
  [[nodiscard]] std::optional<Fault> remove(RoomId room);
  [[nodiscard]] std::optional<Fault> add(RoomId room, const Chunk& chunk);
  /// Puts a chunk in the place of another, whose id it has.
  [[nodiscard]] std::optional<Fault> replace(const Chunk& chunk);
  [[nodiscard]] std::optional<Fault> remove_chunk(std::int64_t chunk);
  /// Copies a chunk into the table of damaged ones, of which the newest quarantine_bytes_max are kept.
  [[nodiscard]] std::optional<Fault> quarantine(std::int64_t chunk, std::int64_t now_ms);
  static constexpr std::int64_t quarantine_bytes_max = std::int64_t{8} << 20U;

 private:
  RoomRowsWriter(Statement put, Statement remove, Statement add, Statement replace, Statement remove_chunk,
                 Statement keep_damaged, Statement trim_damaged);
  /// `id`: the first parameter.
  [[nodiscard]] static std::optional<Fault> write(Statement& statement, std::int64_t id, const Chunk& chunk);

  Statement put_;
  Statement remove_;
  Statement add_;
  Statement replace_;
  Statement remove_chunk_;
  Statement keep_damaged_;
  Statement trim_damaged_;
};

}  // namespace roomcast::store
