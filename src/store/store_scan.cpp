#include "store/store_scan.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "store/room_walk.h"
#include "store/store_files.h"
#include "store/table_rows.h"

namespace roomcast::store {

namespace {

constexpr std::string_view names_by_index = "SELECT id,name FROM room ORDER BY name";
constexpr std::string_view names_backwards = "SELECT id,name FROM room ORDER BY name DESC";

/// The name and the value of a record of that type.
std::optional<std::pair<std::string_view, std::string_view>> split_value(const Record& record) {
  const std::size_t end = record.body.find('\0');
  if (record.type != Record::Type::value || end == std::string_view::npos) return std::nullopt;
  return std::pair(record.body.substr(0, end), record.body.substr(end + 1));
}

}  // namespace

base::Result<std::unique_ptr<StoreScan>> StoreScan::open(const Options& options) {
  if (std::optional<base::Error> error = check_store_is_there(options.directory)) return std::move(*error);
  std::unique_ptr<StoreScan> scan(new StoreScan(options));  // NOLINT: the constructor is private
  if (std::optional<base::Error> error = scan->open_files()) return std::move(*error);
  return scan;
}

/// Damage is a problem among others; anything else ends the scan.
std::optional<base::Error> StoreScan::note(const Fault& fault) {
  if (fault.code != Fault::Code::corrupt) return command_error(fault);
  problems_.add(fault.message);
  return std::nullopt;
}

std::optional<base::Error> StoreScan::open_files() {
  // The journal is read as it was before the history is: batches leave it only when the history has them. So
  // the two together are the store as it was at one moment, and may have some batches twice.
  base::Result<Database, Fault> journal = open_journal_to_read(options_.directory);
  std::optional<Transaction> reading_journal;
  if (journal) {
    base::Result<Transaction, Fault> begun = Transaction::begin(*journal, Transaction::Kind::read);
    if (begun) reading_journal.emplace(std::move(*begun));
    if (!begun) {
      if (std::optional<base::Error> error = note(begun.error())) return error;
    }
  } else if (std::optional<base::Error> error = note(journal.error())) {
    return error;
  }
  base::Result<Database, Fault> history = open_history_to_read(options_.directory);
  if (history) {
    history_ = std::make_unique<Database>(std::move(*history));
    base::Result<Transaction, Fault> begun = Transaction::begin(*history_, Transaction::Kind::read);
    if (!begun) return command_error(begun.error());
    reading_.emplace(std::move(*begun));
    base::Result<RoomRows, Fault> rows = RoomRows::prepare(*history_);
    if (rows) rows_.emplace(std::move(*rows));
    if (!rows) {
      if (std::optional<base::Error> error = note(rows.error())) return error;
    }
    read_meta();
  } else if (std::optional<base::Error> error = note(history.error())) {
    return error;
  }
  if (reading_journal) read_journal(*journal);
  if (options_.by_table && history_ != nullptr) read_extents();
  return std::nullopt;
}

void StoreScan::read_meta() {
  const std::array<std::pair<std::string_view, std::uint64_t*>, 3> numbers{
      {{"folded_seq", &meta_.folded_seq}, {"rooms", &meta_.rooms}, {"messages", &meta_.messages}}};
  for (const auto& [key, into] : numbers) {
    const base::Result<std::int64_t, Fault> found =
        history_->number("SELECT value FROM meta WHERE key='" + std::string(key) + "'");
    if (found) *into = static_cast<std::uint64_t>(*found);
    if (!found) problems_.add(found.error().message);
  }
  const base::Result<std::int64_t, Fault> clean =
      history_->number("SELECT value FROM meta WHERE key='clean'");
  meta_.is_clean = clean && *clean != 0;
}

void StoreScan::read_journal(Database& journal) {
  base::Result<Statement, Fault> rows = journal.prepare("SELECT seq,data FROM log WHERE seq>?1 ORDER BY seq");
  if (!rows) return problems_.add(rows.error().message);
  std::uint64_t last = meta_.folded_seq;
  const auto on_row = [&] {
    const auto seq = static_cast<std::uint64_t>(rows->number(0));
    // Without a history it is not known what was the first.
    if (seq != last + 1 && (last != 0 || history_ != nullptr)) {
      problems_.add(journal.path() + ": the batches " + std::to_string(last + 1) + " to " +
                    std::to_string(seq - 1) + " are missing");
    }
    last = seq;
    add_batch(seq, rows->blob(1), journal.path());
  };
  read_table(*rows, static_cast<std::int64_t>(meta_.folded_seq), on_row,
             [&](const Fault& fault) { problems_.add(fault.message); });
  if (const auto cut = tail_.cut()) segment_ = cut.get();  // the tail keeps it
}

void StoreScan::add_batch(std::uint64_t seq, std::string_view records, const std::string& path) {
  std::string whole;
  RecordReader reader(records);
  bool is_damaged = false;
  do {
    while (const std::optional<Record> record = reader.next())
      whole.append(record->bytes);
    is_damaged = is_damaged || reader.is_damaged();
  } while (reader.skip_damage());
  if (is_damaged) {
    problems_.add(path + ": batch " + std::to_string(seq) + " is damaged: " + std::to_string(whole.size()) +
                  " of its " + std::to_string(records.size()) + " bytes are whole records");
  }
  tail_.add(seq, std::move(whole));
}

void StoreScan::read_extents() {
  base::Result<Statement, Fault> rows = history_->prepare(
      "SELECT id,room,first,last,newest_ms,count,bytes FROM chunk NOT INDEXED WHERE id>?1 ORDER BY id");
  if (!rows) return problems_.add(rows.error().message);
  const auto on_row = [&] {
    ChunkExtent extent;
    extent.id = rows->number(0);
    extent.first = static_cast<std::uint64_t>(rows->number(2));
    extent.last = static_cast<std::uint64_t>(rows->number(3));
    extent.newest_ms = rows->number(4);
    extent.count = static_cast<std::uint64_t>(rows->number(5));
    extent.bytes = static_cast<std::uint64_t>(rows->number(6));
    if (extent.first == 0 || extent.first > extent.last) {
      problems_.add(history_->path() + ": chunk " + std::to_string(extent.id) + " has no extent");
      return;
    }
    extents_[static_cast<RoomId>(rows->number(1))].push_back(extent);
  };
  read_table(*rows, 0, on_row, [&](const Fault& fault) { problems_.add(fault.message); });
  for (auto& [room, extents] : extents_) {
    std::stable_sort(extents.begin(), extents.end(),
                     [](const ChunkExtent& a, const ChunkExtent& b) { return a.first < b.first; });
  }
}

StoreScan::RoomNames StoreScan::room_names() {
  RoomNames names;
  if (history_ != nullptr) {
    base::Result<Statement, Fault> rows =
        history_->prepare("SELECT id,name FROM room NOT INDEXED WHERE id>?1 ORDER BY id");
    if (rows) {
      read_table(
          *rows, 0, [&] { names.emplace(rows->text(1), static_cast<RoomId>(rows->number(0))); },
          [&](const Fault& fault) { problems_.add(fault.message); });
    } else {
      problems_.add(rows.error().message);
    }
  }
  if (options_.by_table && history_ != nullptr) {
    // Of rooms whose rows are damaged the index has the names, from its ends up to where it is damaged
    // itself.
    for (const std::string_view sql : {names_by_index, names_backwards}) {
      base::Result<Statement, Fault> rows = history_->prepare(sql);
      base::Result<bool, Fault> row = rows ? rows->step() : base::Result<bool, Fault>(false);
      for (; row && *row; row = rows->step())
        names.emplace(rows->text(1), static_cast<RoomId>(rows->number(0)));
    }
  }
  for (const auto& [name, room] : segment_->rooms)
    names.emplace(name, room);
  return names;
}

std::map<std::string, std::string> StoreScan::values() {
  std::map<std::string, std::string> values;
  if (history_ != nullptr) {
    base::Result<Statement, Fault> rows = history_->prepare("SELECT name,data FROM value ORDER BY name");
    base::Result<bool, Fault> row = rows ? rows->step() : base::Result<bool, Fault>(rows.error());
    for (; row && *row; row = rows->step())
      values.insert_or_assign(std::string(rows->text(0)), std::string(rows->blob(1)));
    if (!row) problems_.add(row.error().message);
  }
  const auto in_tail = segment_->records.find(0);
  if (in_tail == segment_->records.end()) return values;
  for (const std::string_view bytes : in_tail->second) {
    RecordReader reader(bytes);
    const std::optional<Record> record = reader.next();
    const auto split = record ? split_value(*record) : std::nullopt;
    if (!split) continue;
    values.erase(std::string(split->first));
    if (!split->second.empty()) values.emplace(split->first, split->second);
  }
  return values;
}

void StoreScan::visit(Visitor& visitor) {
  std::set<RoomId> seen;
  for (const auto& [name, id] : room_names()) {
    visit_room(visitor, name, id);
    seen.insert(id);
  }
  const auto check_is_known = [&](RoomId id, const std::string& what) {
    if (id != 0 && seen.insert(id).second)
      problems_.add("room number " + std::to_string(id) + " is not there, but " + what + " of it");
  };
  for (const auto& [id, extents] : extents_)
    check_is_known(id, std::to_string(extents.size()) + " chunks");
  for (const auto& [id, records] : segment_->records)
    check_is_known(id, std::to_string(records.size()) + " records in the journal");
}

bool StoreScan::visit(Visitor& visitor, std::string_view room) {
  if (rows_) {
    const base::Result<std::optional<RoomRow>, Fault> row = rows_->find(room);
    if (!row) problems_.add(row.error().message);
    if (row && *row) {
      visit_room(visitor, std::string(room), (*row)->id);
      return true;
    }
  }
  const auto in_tail = segment_->rooms.find(room);
  if (in_tail == segment_->rooms.end()) return false;
  visit_room(visitor, std::string(room), in_tail->second);
  return true;
}

std::vector<ChunkExtent> StoreScan::extents_of(RoomId room) {
  if (options_.by_table) {
    const auto found = extents_.find(room);
    return found == extents_.end() ? std::vector<ChunkExtent>() : found->second;
  }
  if (!rows_) return {};
  base::Result<std::vector<ChunkExtent>, Fault> chunks = rows_->chunks(room);
  if (chunks) return std::move(*chunks);
  problems_.add(chunks.error().message);
  return {};
}

void StoreScan::visit_room(Visitor& visitor, const std::string& name, RoomId id) {
  RoomRow row{id};
  if (rows_) {
    base::Result<std::optional<RoomRow>, Fault> found = rows_->find(id);
    if (!found) problems_.add("the row of room \"" + name + "\" can't be read: " + found.error().message);
    if (found && *found) row = std::move(**found);
  }
  RoomWalk walk(RoomState(std::move(row), extents_of(id)), visitor, problems_);
  if (const auto records = segment_->records.find(id); records != segment_->records.end())
    walk.add_tail(records->second);
  walk.begin(name);
  const std::vector<ChunkExtent> extents = walk.state().chunks();
  for (const ChunkExtent& extent : extents) {
    const base::Result<std::string, Fault> records = rows_ ? rows_->records(extent.id) : std::string();
    if (records) {
      walk.walk_chunk(extent, *records);
    } else {
      walk.walk_unreadable(extent, records.error().message);
    }
  }
  walk.finish();
}

}  // namespace roomcast::store
