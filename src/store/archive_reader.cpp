#include "store/archive_reader.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/digest.h"
#include "store/archive.h"
#include "store/room_page.h"

namespace roomcast::store {

namespace {

/// What cannot be a second time unless the generation is the same. Never 0, which would be no epoch.
std::uint64_t first_epoch(std::string_view store_id, std::int64_t generation, std::string_view name) {
  std::string bytes(store_id);
  bytes.append(1, '\0').append(std::to_string(generation)).append(1, '\0').append(name);
  const std::array<unsigned char, 32> digest = base::sha256(bytes);
  std::uint64_t epoch = 0;
  for (std::size_t i = 0; i < sizeof(epoch); ++i)
    epoch = epoch << 8U | digest[i];
  return epoch | 1U;
}

}  // namespace

base::Result<ArchiveReader, Fault> ArchiveReader::open(const Options& options, const Tail& tail,
                                                       RoomsInUse& in_use) {
  Database::Options file;
  file.path = options.path;
  file.application_id = Archive::application_id;
  file.is_writable = false;
  file.cache_bytes = options.cache_bytes;
  base::Result<Database, Fault> database = Database::open(file);
  if (!database) return std::move(database.error());
  base::Result<RoomRows, Fault> rows = RoomRows::prepare(*database);
  if (!rows) return std::move(rows.error());
  base::Result<Statement, Fault> meta = database->prepare(
      "SELECT (SELECT value FROM meta WHERE key='store_id'),(SELECT value FROM meta WHERE key='generation')");
  if (!meta) return std::move(meta.error());
  return ArchiveReader(std::move(*database), std::move(*rows), std::move(*meta), tail, in_use);
}

ArchiveReader::ArchiveReader(Database database, RoomRows rows, Statement meta, const Tail& tail,
                             RoomsInUse& in_use)
    : database_(std::move(database)),
      rows_(std::move(rows)),
      meta_(std::move(meta)),
      tail_(&tail),
      in_use_(&in_use) {}

/// The room as its row, its chunks and the tail's records have it; nothing if neither knows it.
base::Result<std::optional<RoomState>, Fault> ArchiveReader::find_room(RoomId room, const TailRecords& tail) {
  base::Result<std::optional<RoomRow>, Fault> row = rows_.find(room);
  if (!row) return std::move(row.error());
  base::Result<std::vector<ChunkExtent>, Fault> chunks = rows_.chunks(room);
  if (!chunks) return std::move(chunks.error());
  RoomRow known = *row ? std::move(**row) : RoomRow{room};
  RoomState state(std::move(known), std::move(*chunks));
  state.add(tail.records);
  if (state.row().name.empty()) return std::optional<RoomState>();
  return std::optional(std::move(state));
}

base::Result<ArchiveReader::Loaded, Fault> ArchiveReader::load(std::string_view name,
                                                               const hub::RoomRules& rules,
                                                               const AgeTime& now, std::int64_t wall_ms) {
  // First the tail, then the file: what leaves the one is in the other by then.
  std::optional<RoomId> id = tail_->find_room(name);
  if (!id) {
    const base::Result<std::optional<RoomRow>, Fault> row = rows_.find(name);
    if (!row) return row.error();
    if (*row) id = (*row)->id;
  }
  if (!id) return load(id, name, rules, now, wall_ms);
  in_use_->mark(*id);
  base::Result<Loaded, Fault> loaded = load(id, name, rules, now, wall_ms);
  if (!loaded || loaded->extent.id == 0) in_use_->release(*id);
  return loaded;
}

base::Result<ArchiveReader::Loaded, Fault> ArchiveReader::load(std::optional<RoomId> id,
                                                               std::string_view name,
                                                               const hub::RoomRules& rules,
                                                               const AgeTime& now, std::int64_t wall_ms) {
  const TailRecords tail = id ? tail_->find(*id) : TailRecords{};
  base::Result<Transaction, Fault> transaction = Transaction::begin(database_, Transaction::Kind::read);
  if (!transaction) return std::move(transaction.error());
  Loaded loaded;
  if (id) {
    base::Result<std::optional<RoomState>, Fault> state = find_room(*id, tail);
    if (!state) return std::move(state.error());
    if (*state) {
      RoomPage page(rows_, **state, loaded.damage);
      const base::Result<std::uint64_t, Fault> floor = page.find_floor(rules.find(name).history, now.now_ms);
      if (!floor) return floor.error();
      base::Result<std::vector<KnownKey>, Fault> keys = page.keys(wall_ms - keys_ms, keys_max);
      if (!keys) return std::move(keys.error());
      RoomExtent& extent = loaded.extent;
      extent.id = *id;
      extent.epoch = (*state)->row().epoch;
      extent.is_written = true;
      extent.top = (*state)->top();
      extent.ceiling = (*state)->ceiling();
      extent.floor = *floor;
      extent.last_time_ms = (*state)->last_ms();
      extent.holes = holes_after(*floor, (*state)->row().holes);
      extent.keys = std::move(*keys);
      return loaded;
    }
  }
  const base::Result<bool, Fault> has_row = meta_.step();
  if (!has_row) return has_row.error();
  loaded.extent.epoch = first_epoch(meta_.blob(0), meta_.number(1), name);
  meta_.reset();
  return loaded;
}

base::Result<ArchiveReader::Page, Fault> ArchiveReader::read(RoomId room, std::string_view name,
                                                             std::uint64_t after, std::size_t messages_max,
                                                             std::size_t bytes_max,
                                                             const hub::RoomRules& rules, const AgeTime& now,
                                                             std::size_t back) {
  const TailRecords tail = tail_->find(room);
  base::Result<Transaction, Fault> transaction = Transaction::begin(database_, Transaction::Kind::read);
  if (!transaction) return std::move(transaction.error());
  base::Result<std::optional<RoomState>, Fault> state = find_room(room, tail);
  if (!state) return std::move(state.error());
  Page read;
  read.page.floor = read.page.after = after;
  if (!*state) return read;
  RoomPage page(rows_, **state, read.damage);
  const base::Result<std::uint64_t, Fault> floor = page.find_floor(rules.find(name).history, now.now_ms);
  if (!floor) return floor.error();
  const base::Result<std::uint64_t, Fault> begin = page.find_back(after, back, *floor, back_bytes_max);
  if (!begin) return begin.error();
  read.page.after = std::max(*begin, *floor);
  base::Result<std::string, Fault> records =
      page.read(read.page.after, messages_max, std::min(bytes_max, page_bytes_max));
  if (!records) return std::move(records.error());
  read.page.records = std::move(*records);
  read.page.floor = std::max(*floor, (*state)->row().floor);
  read.page.holes = holes_after(read.page.floor, (*state)->row().holes);
  return read;
}

}  // namespace roomcast::store
