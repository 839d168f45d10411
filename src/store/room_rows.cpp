#include "store/room_rows.h"

#include <cstddef>
#include <limits>
#include <utility>

#include "store/prepared.h"

namespace roomcast::store {

namespace {

constexpr std::string_view row_columns = "id,name,epoch,top,ceiling,floor,last_ms,due_ms,holes";

void append_offset(std::string& out, std::uint64_t offset) {
  for (unsigned shift = 0; shift < std::numeric_limits<std::uint64_t>::digits; shift += 8)
    out.push_back(static_cast<char>(offset >> shift));
}

std::uint64_t read_offset(std::string_view bytes) {
  std::uint64_t offset = 0;
  for (std::size_t i = sizeof(offset); i-- > 0;)
    offset = offset << 8U | static_cast<unsigned char>(bytes[i]);
  return offset;
}

std::string write_holes(const std::vector<hub::Hole>& holes) {
  std::string out;
  for (const hub::Hole& hole : holes) {
    append_offset(out, hole.first);
    append_offset(out, hole.last);
  }
  return out;
}

std::vector<hub::Hole> read_holes(std::string_view bytes) {
  constexpr std::size_t offset_bytes = sizeof(std::uint64_t);
  std::vector<hub::Hole> holes;
  for (; bytes.size() >= 2 * offset_bytes; bytes.remove_prefix(2 * offset_bytes))
    holes.push_back({read_offset(bytes), read_offset(bytes.substr(offset_bytes))});
  return holes;
}

std::int64_t to_number(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t from_number(std::int64_t value) { return static_cast<std::uint64_t>(value); }

}  // namespace

base::Result<RoomRows, Fault> RoomRows::prepare(Database& database) {
  const std::string select = "SELECT " + std::string(row_columns) + " FROM room WHERE ";
  Prepared statements(database);
  statements.add(select + "name=?1");
  statements.add(select + "id=?1");
  statements.add("SELECT id,first,last,newest_ms,count,bytes FROM chunk WHERE room=?1 ORDER BY first");
  statements.add("SELECT data FROM chunk WHERE id=?1");
  if (statements.fault()) return std::move(*statements.fault());
  return RoomRows(statements.take(0), statements.take(1), statements.take(2), statements.take(3));
}

RoomRows::RoomRows(Statement by_name, Statement by_id, Statement chunks, Statement records)
    : by_name_(std::move(by_name)),
      by_id_(std::move(by_id)),
      chunks_(std::move(chunks)),
      records_(std::move(records)) {}

base::Result<std::optional<RoomRow>, Fault> RoomRows::find(std::string_view name) {
  by_name_.bind_text(1, name);
  return read_row(by_name_);
}

base::Result<std::optional<RoomRow>, Fault> RoomRows::find(RoomId id) {
  by_id_.bind_number(1, id);
  return read_row(by_id_);
}

base::Result<std::optional<RoomRow>, Fault> RoomRows::read_row(Statement& statement) {
  const base::Result<bool, Fault> has_row = statement.step();
  if (!has_row) return has_row.error();
  if (!*has_row) return std::optional<RoomRow>();
  RoomRow row;
  int column = 0;
  row.id = static_cast<RoomId>(statement.number(column++));
  row.name = statement.text(column++);
  row.epoch = from_number(statement.number(column++));
  row.top = from_number(statement.number(column++));
  row.ceiling = from_number(statement.number(column++));
  row.floor = from_number(statement.number(column++));
  row.last_ms = statement.number(column++);
  row.due_ms = statement.number(column++);
  row.holes = read_holes(statement.blob(column));
  statement.reset();
  return std::optional(std::move(row));
}

base::Result<std::vector<ChunkExtent>, Fault> RoomRows::chunks(RoomId room) {
  std::vector<ChunkExtent> chunks;
  chunks_.bind_number(1, room);
  while (true) {
    const base::Result<bool, Fault> has_row = chunks_.step();
    if (!has_row) return has_row.error();
    if (!*has_row) return chunks;
    ChunkExtent& chunk = chunks.emplace_back();
    int column = 0;
    chunk.id = chunks_.number(column++);
    chunk.first = from_number(chunks_.number(column++));
    chunk.last = from_number(chunks_.number(column++));
    chunk.newest_ms = chunks_.number(column++);
    chunk.count = from_number(chunks_.number(column++));
    chunk.bytes = from_number(chunks_.number(column));
  }
}

base::Result<std::string, Fault> RoomRows::records(std::int64_t chunk) {
  records_.bind_number(1, chunk);
  const base::Result<bool, Fault> has_row = records_.step();
  if (!has_row) return has_row.error();
  std::string records;
  if (*has_row) records = records_.blob(0);
  records_.reset();
  return records;
}

base::Result<RoomRowsWriter, Fault> RoomRowsWriter::prepare(Database& database) {
  Prepared statements(database);
  statements.add("INSERT OR REPLACE INTO room(" + std::string(row_columns) +
                 ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)");
  statements.add("DELETE FROM room WHERE id=?1");
  statements.add(
      "INSERT INTO chunk(room,first,last,newest_ms,count,bytes,data) VALUES(?1,?2,?3,?4,?5,?6,?7)");
  statements.add("UPDATE chunk SET first=?2,last=?3,newest_ms=?4,count=?5,bytes=?6,data=?7 WHERE id=?1");
  statements.add("DELETE FROM chunk WHERE id=?1");
  statements.add(
      "INSERT INTO quarantine(room,first,last,found_ms,data)"
      " SELECT room,first,last,?2,data FROM chunk WHERE id=?1");
  // The newest stay.
  statements.add(
      "DELETE FROM quarantine WHERE id IN (SELECT id FROM"
      " (SELECT id,sum(length(data)) OVER (ORDER BY id DESC) AS bytes FROM quarantine) WHERE bytes>?1)");
  if (statements.fault()) return std::move(*statements.fault());
  return RoomRowsWriter(statements.take(0), statements.take(1), statements.take(2), statements.take(3),
                        statements.take(4), statements.take(5), statements.take(6));
}

RoomRowsWriter::RoomRowsWriter(Statement put, Statement remove, Statement add, Statement replace,
                               Statement remove_chunk, Statement keep_damaged, Statement trim_damaged)
    : put_(std::move(put)),
      remove_(std::move(remove)),
      add_(std::move(add)),
      replace_(std::move(replace)),
      remove_chunk_(std::move(remove_chunk)),
      keep_damaged_(std::move(keep_damaged)),
      trim_damaged_(std::move(trim_damaged)) {}

std::optional<Fault> RoomRowsWriter::put(const RoomRow& row) {
  const std::string holes = write_holes(row.holes);
  int parameter = 1;
  put_.bind_number(parameter++, row.id);
  put_.bind_text(parameter++, row.name);
  put_.bind_number(parameter++, to_number(row.epoch));
  put_.bind_number(parameter++, to_number(row.top));
  put_.bind_number(parameter++, to_number(row.ceiling));
  put_.bind_number(parameter++, to_number(row.floor));
  put_.bind_number(parameter++, row.last_ms);
  put_.bind_number(parameter++, row.due_ms);
  put_.bind_blob(parameter, holes);
  return put_.run();
}

std::optional<Fault> RoomRowsWriter::remove(RoomId room) {
  remove_.bind_number(1, room);
  return remove_.run();
}

std::optional<Fault> RoomRowsWriter::add(RoomId room, const Chunk& chunk) { return write(add_, room, chunk); }

std::optional<Fault> RoomRowsWriter::replace(const Chunk& chunk) {
  return write(replace_, chunk.extent.id, chunk);
}

std::optional<Fault> RoomRowsWriter::write(Statement& statement, std::int64_t id, const Chunk& chunk) {
  int parameter = 1;
  statement.bind_number(parameter++, id);
  statement.bind_number(parameter++, to_number(chunk.extent.first));
  statement.bind_number(parameter++, to_number(chunk.extent.last));
  statement.bind_number(parameter++, chunk.extent.newest_ms);
  statement.bind_number(parameter++, to_number(chunk.extent.count));
  statement.bind_number(parameter++, to_number(chunk.extent.bytes));
  statement.bind_blob(parameter, chunk.records);
  return statement.run();
}

std::optional<Fault> RoomRowsWriter::remove_chunk(std::int64_t chunk) {
  remove_chunk_.bind_number(1, chunk);
  return remove_chunk_.run();
}

std::optional<Fault> RoomRowsWriter::quarantine(std::int64_t chunk, std::int64_t now_ms) {
  keep_damaged_.bind_number(1, chunk);
  keep_damaged_.bind_number(2, now_ms);
  if (std::optional<Fault> fault = keep_damaged_.run()) return fault;
  trim_damaged_.bind_number(1, quarantine_bytes_max);
  return trim_damaged_.run();
}

}  // namespace roomcast::store
