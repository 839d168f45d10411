#include "store/archive.h"

#include <algorithm>
#include <array>
#include <utility>

#include "store/prepared.h"

namespace roomcast::store {

namespace {

constexpr const char* schema = R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE value(name TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE room(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch INTEGER NOT NULL, top INTEGER NOT NULL,
  ceiling INTEGER NOT NULL, floor INTEGER NOT NULL, last_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL,
  holes BLOB NOT NULL);
CREATE INDEX room_due ON room(due_ms);
CREATE TABLE chunk(
  id INTEGER PRIMARY KEY, room INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  newest_ms INTEGER NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX chunk_of_room ON chunk(room, first, last, newest_ms, count, bytes);
CREATE TABLE quarantine(
  id INTEGER PRIMARY KEY, room INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  found_ms INTEGER NOT NULL, data BLOB NOT NULL);
)";

constexpr std::string_view format_key = "format";
constexpr std::string_view store_id_key = "store_id";
constexpr std::string_view generation_key = "generation";
constexpr std::string_view clean_key = "clean";
constexpr std::string_view folded_seq_key = "folded_seq";
constexpr std::string_view next_room_key = "next_room";
constexpr std::string_view rooms_key = "rooms";
constexpr std::string_view messages_key = "messages";

std::uint64_t changed(std::uint64_t count, std::int64_t by) {
  const auto after = static_cast<std::int64_t>(count) + by;
  return after < 0 ? 0 : static_cast<std::uint64_t>(after);
}

}  // namespace

base::Result<Archive, Fault> Archive::open(Options options, const Tail& tail, RoomsInUse& in_use) {
  Database::Options file;
  file.path = options.path;
  file.application_id = application_id;
  file.secure_delete = options.secure_delete;
  file.cache_bytes = options.cache_bytes;
  file.bytes_max = options.bytes_max;
  file.may_create = !options.new_store_id.empty();
  base::Result<Database, Fault> database = Database::open(file);
  if (!database) return std::move(database.error());
  if (std::optional<Fault> fault = prepare_file(*database, options)) return std::move(*fault);
  base::Result<Parts, Fault> parts = prepare(*database);
  if (!parts) return std::move(parts.error());
  Archive archive(std::move(options), std::move(*database), std::move(*parts), tail, in_use);
  if (std::optional<Fault> fault = archive.read_meta()) return std::move(*fault);
  return archive;
}

Archive::Archive(Options options, Database database, Parts parts, const Tail& tail, RoomsInUse& in_use)
    : options_(std::move(options)),
      database_(std::move(database)),
      parts_(std::move(parts)),
      tail_(&tail),
      in_use_(&in_use) {}

/// Makes the tables in a new file; refuses one of a higher format.
std::optional<Fault> Archive::prepare_file(Database& database, const Options& options) {
  base::Result<Transaction, Fault> transaction = Transaction::begin(database, Transaction::Kind::write);
  if (!transaction) return std::move(transaction.error());
  base::Result<std::int64_t, Fault> tables =
      database.number("SELECT count(*) FROM sqlite_schema WHERE name='meta'");
  if (!tables) return std::move(tables.error());
  if (*tables == 0) {
    if (std::optional<Fault> fault = database.execute(schema)) return fault;
    base::Result<Statement, Fault> put = database.prepare("INSERT INTO meta(key,value) VALUES(?1,?2)");
    if (!put) return std::move(put.error());
    put->bind_text(1, format_key);
    put->bind_number(2, format);
    if (std::optional<Fault> fault = put->run()) return fault;
    put->bind_text(1, store_id_key);
    put->bind_blob(2, options.new_store_id);
    if (std::optional<Fault> fault = put->run()) return fault;
  }
  base::Result<std::int64_t, Fault> found = database.number("SELECT value FROM meta WHERE key='format'");
  if (!found) return std::move(found.error());
  if (*found < 1 || *found > format) {
    return Fault{Fault::Code::other, options.path + ": its format is " + std::to_string(*found) +
                                         ", and this version of roomcast knows those up to " +
                                         std::to_string(format) +
                                         ": use the version that wrote it, or a newer one"};
  }
  return transaction->commit();
}

base::Result<Archive::Parts, Fault> Archive::prepare(Database& database) {
  base::Result<RoomRows, Fault> rows = RoomRows::prepare(database);
  if (!rows) return std::move(rows.error());
  base::Result<RoomRowsWriter, Fault> writer = RoomRowsWriter::prepare(database);
  if (!writer) return std::move(writer.error());
  Prepared statements(database);
  statements.add("INSERT OR REPLACE INTO meta(key,value) VALUES(?1,?2)");
  statements.add("INSERT OR REPLACE INTO value(name,data) VALUES(?1,?2)");
  statements.add("DELETE FROM value WHERE name=?1");
  statements.add("SELECT room,last,bytes FROM chunk ORDER BY id LIMIT ?1");
  statements.add("SELECT id FROM room WHERE due_ms<=?1 ORDER BY due_ms LIMIT ?2");
  statements.add("SELECT id FROM room WHERE id>=?1 ORDER BY id LIMIT ?2");
  statements.add(
      "SELECT id FROM room WHERE id>=?1 AND id<?2 AND NOT EXISTS(SELECT 1 FROM chunk WHERE "
      "chunk.room=room.id)");
  if (statements.fault()) return std::move(*statements.fault());
  return Parts{std::move(*rows),   std::move(*writer), statements.take(0),
               statements.take(1), statements.take(2), statements.take(3),
               statements.take(4), statements.take(5), statements.take(6)};
}

std::optional<Fault> Archive::read_meta() {
  base::Result<Statement, Fault> statement = database_.prepare("SELECT key,value FROM meta");
  if (!statement) return std::move(statement.error());
  while (true) {
    const base::Result<bool, Fault> has_row = statement->step();
    if (!has_row) return has_row.error();
    if (!*has_row) break;
    const std::string_view key = statement->text(0);
    const auto number = static_cast<std::uint64_t>(statement->number(1));
    if (key == store_id_key) meta_.store_id = statement->blob(1);
    if (key == generation_key) meta_.generation = number;
    if (key == clean_key) meta_.is_clean = number != 0;
    if (key == folded_seq_key) meta_.folded_seq = number;
    if (key == next_room_key) meta_.next_room = static_cast<RoomId>(number);
    if (key == rooms_key) meta_.rooms = number;
    if (key == messages_key) meta_.messages = number;
  }
  return std::nullopt;
}

std::optional<Fault> Archive::put_meta(std::string_view key, std::uint64_t value) {
  parts_.put_meta.bind_text(1, key);
  parts_.put_meta.bind_number(2, static_cast<std::int64_t>(value));
  return parts_.put_meta.run();
}

base::Result<Archive::Work, Fault> Archive::begin_work() {
  base::Result<Transaction, Fault> transaction = Transaction::begin(database_, Transaction::Kind::write);
  if (!transaction) return std::move(transaction.error());
  return Work(std::move(*transaction), meta_);
}

std::optional<Fault> Archive::commit(Work& work) {
  Meta& meta = work.meta;
  meta.rooms = changed(meta.rooms, work.tally.rooms);
  meta.messages = changed(meta.messages, work.tally.messages);
  const std::array<std::pair<std::string_view, std::uint64_t>, 6> values{{
      {generation_key, meta.generation},
      {clean_key, meta.is_clean ? 1 : 0},
      {folded_seq_key, meta.folded_seq},
      {next_room_key, meta.next_room},
      {rooms_key, meta.rooms},
      {messages_key, meta.messages},
  }};
  for (const auto& [key, value] : values) {
    if (std::optional<Fault> fault = put_meta(key, value)) return fault;
  }
  if (std::optional<Fault> fault = work.transaction.commit()) return fault;
  meta_ = meta;
  evicted_ += work.tally.evicted;
  return std::nullopt;
}

base::Result<std::vector<Archive::Value>, Fault> Archive::values() {
  base::Result<Statement, Fault> statement = database_.prepare("SELECT name,data FROM value ORDER BY name");
  if (!statement) return std::move(statement.error());
  std::vector<Value> values;
  while (true) {
    const base::Result<bool, Fault> has_row = statement->step();
    if (!has_row) return has_row.error();
    if (!*has_row) return values;
    values.push_back({std::string(statement->text(0)), std::string(statement->blob(1))});
  }
}

std::optional<Fault> Archive::begin() {
  base::Result<Work, Fault> work = begin_work();
  if (!work) return std::move(work.error());
  if (!work->meta.is_clean) ++work->meta.generation;
  work->meta.is_clean = false;
  return commit(*work);
}

std::optional<Fault> Archive::end() {
  base::Result<Work, Fault> work = begin_work();
  if (!work) return std::move(work.error());
  work->meta.is_clean = true;
  if (std::optional<Fault> fault = commit(*work)) return fault;
  const base::Result<Database::Checkpoint, Fault> done =
      database_.checkpoint(Database::CheckpointMode::truncate);
  return done ? std::nullopt : std::optional(done.error());
}

std::optional<Fault> Archive::raise_generation() {
  base::Result<Work, Fault> work = begin_work();
  if (!work) return std::move(work.error());
  ++work->meta.generation;
  return commit(*work);
}

/// A checkpoint that fails, or is held up by a reader, is made good later: until the WAL has twice its size.
std::optional<Fault> Archive::checkpoint_if_due() {
  if (database_.wal_bytes() <= options_.wal_bytes) return std::nullopt;
  const base::Result<Database::Checkpoint, Fault> done =
      database_.checkpoint(Database::CheckpointMode::passive);
  if (done || database_.wal_bytes() <= 2 * options_.wal_bytes) return std::nullopt;
  return done.error();
}

base::Result<std::optional<RoomState>, Fault> Archive::find_room(RoomId room) {
  base::Result<std::optional<RoomRow>, Fault> row = parts_.rows.find(room);
  if (!row) return std::move(row.error());
  if (!*row) return std::optional<RoomState>();
  base::Result<std::vector<ChunkExtent>, Fault> chunks = parts_.rows.chunks(room);
  if (!chunks) return std::move(chunks.error());
  return std::optional(RoomState(std::move(**row), std::move(*chunks)));
}

std::optional<Fault> Archive::quarantine(const Damage& damage, std::int64_t now_ms) {
  base::Result<Work, Fault> work = begin_work();
  if (!work) return std::move(work.error());
  base::Result<std::optional<RoomState>, Fault> state = find_room(damage.room);
  if (!state) return std::move(state.error());
  if (!*state) return std::nullopt;
  RoomEdit edit(parts_.rows, parts_.writer, work->tally, std::move(**state), false);
  if (std::optional<Fault> fault = edit.repair(damage.chunk, now_ms)) return fault;
  if (work->tally.damage.empty()) return std::nullopt;
  if (std::optional<Fault> fault = edit.finish()) return fault;
  return commit(*work);
}

}  // namespace roomcast::store
