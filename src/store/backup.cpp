#include "store/backup.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "base/digest.h"
#include "store/archive.h"
#include "store/journal.h"
#include "store/record.h"
#include "store/store_files.h"
#include "store/store_writer.h"
#include "store/wal_look.h"

namespace roomcast::store {

namespace {

constexpr std::array<std::string_view, 6> copied_files{"/journal.db", "/journal.db-wal", "/journal.db-shm",
                                                       "/history.db", "/history.db-wal", "/history.db-shm"};

std::string sql_text(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text)
    quoted.append(c == '\'' ? 2 : 1, c);
  return quoted + '\'';
}

std::optional<Fault> copy_database(base::Result<Database, Fault> from, const std::string& to) {
  if (!from) return std::move(from.error());
  return from->execute(("VACUUM INTO " + sql_text(to)).c_str());
}

/// Checkpoints, so that the database is one file.
std::optional<Fault> to_one_file(Database& database) {
  const base::Result<Database::Checkpoint, Fault> done =
      database.checkpoint(Database::CheckpointMode::truncate);
  return done ? std::nullopt : std::optional(done.error());
}

/// The highest offset of each room that the batches of a journal tell of.
class OffsetsOfJournal final : public Journal::Replay {
 public:
  void on_batch(std::uint64_t /*seq*/, std::string&& records) override {
    RecordReader reader(records);
    while (const std::optional<Record> record = reader.next()) {
      std::uint64_t& offset = offsets_[record->room];
      offset = std::max(offset, record->offset);
    }
  }
  [[nodiscard]] std::string ceilings() const {
    std::string records;
    for (const auto& [room, offset] : offsets_) {
      if (room != 0) append_mark(records, Record::Type::ceiling, room, offset + skipped_offsets);
    }
    seal(records);
    return records;
  }

 private:
  std::map<RoomId, std::uint64_t> offsets_;
};

/// Makes a copy of the history one that goes on by itself; the value is its folded_seq.
base::Result<std::int64_t, Fault> part_history(const std::string& path) {
  Database::Options options;
  options.path = path;
  options.application_id = Archive::application_id;
  base::Result<Database, Fault> database = Database::open(options);
  if (!database) return std::move(database.error());
  const std::string skipped = std::to_string(skipped_offsets);
  const std::string sql =
      "BEGIN IMMEDIATE;UPDATE room SET ceiling=" + skipped +
      "+max(top,ceiling,floor,"
      "ifnull((SELECT last FROM chunk WHERE chunk.room=room.id ORDER BY first DESC LIMIT 1),0));"
      "UPDATE meta SET value=randomblob(16) WHERE key='store_id';"
      "INSERT OR REPLACE INTO meta(key,value) VALUES('clean',0);COMMIT";
  if (std::optional<Fault> fault = database->execute(sql.c_str())) return std::move(*fault);
  base::Result<std::int64_t, Fault> folded =
      database->number("SELECT value FROM meta WHERE key='folded_seq'");
  if (!folded) return folded;
  if (std::optional<Fault> fault = to_one_file(*database)) return std::move(*fault);
  return folded;
}

std::optional<Fault> part_journal(const std::string& path, std::uint64_t folded_seq) {
  Journal::Options options;
  options.path = path;
  base::Result<Journal, Fault> journal = Journal::open(options);
  if (!journal) return std::move(journal.error());
  OffsetsOfJournal offsets;
  if (std::optional<Fault> fault = journal->replay(folded_seq, offsets)) return fault;
  if (const std::string ceilings = offsets.ceilings(); !ceilings.empty()) {
    const std::uint64_t seq = std::max(journal->last_seq(), folded_seq) + 1;
    if (std::optional<Fault> fault = journal->append(seq, ceilings)) return fault;
  }
  return journal->checkpoint(Database::CheckpointMode::truncate);
}

std::optional<base::Error> copy_store(const std::string& from, const std::string& to) {
  // The journal first: batches leave it only when the history has them, so none is missing in both.
  if (const auto fault = copy_database(open_journal_to_read(from), to + "/journal.db"))
    return command_error(*fault);
  if (const auto fault = copy_database(open_history_to_read(from), to + "/history.db"))
    return command_error(*fault);
  const base::Result<std::int64_t, Fault> folded = part_history(to + "/history.db");
  if (!folded) return command_error(folded.error());
  if (const auto fault = part_journal(to + "/journal.db", static_cast<std::uint64_t>(*folded)))
    return command_error(*fault);
  for (const std::string_view name : copied_files) {
    if (name.ends_with(".db")) {
      if (std::optional<base::Error> error = sync_path(to + std::string(name))) return error;
    } else {
      ::unlink((to + std::string(name)).c_str());  // empty by now
    }
  }
  return sync_path(to);
}

}  // namespace

base::Result<std::uint64_t> back_up_store(const std::string& from, const std::string& to) {
  if (std::optional<base::Error> error = check_store_is_there(from)) return std::move(*error);
  if (std::optional<base::Error> error = make_empty_directory(to)) return std::move(*error);
  if (std::optional<base::Error> error = copy_store(from, to)) {
    for (const std::string_view name : copied_files)
      ::unlink((to + std::string(name)).c_str());
    return std::move(*error);
  }
  return Database::bytes_on_disk(to + "/journal.db") + Database::bytes_on_disk(to + "/history.db");
}

base::Result<CompactReport> compact_store(const std::string& directory) {
  const base::Result<Directory> locked = lock_store(directory);
  if (!locked) return locked.error();
  CompactReport report{locked->bytes_on_disk()};
  const std::array<std::pair<std::string, std::uint32_t>, 2> files{
      {{locked->journal_path(), Journal::application_id}, {locked->history_path(), Archive::application_id}}};
  for (const auto& [path, application_id] : files) {
    // What SQLite would repair without a word is not to be lost here.
    const base::Result<WalState, Fault> wal = look_at_wal(path);
    if (!wal) return command_error(wal.error());
  }
  // The formats, before anything is written.
  if (const auto journal = open_journal_to_read(directory); !journal) return command_error(journal.error());
  if (const auto history = open_history_to_read(directory); !history) return command_error(history.error());
  for (const auto& [path, application_id] : files) {
    Database::Options options;
    options.path = path;
    options.application_id = application_id;
    base::Result<Database, Fault> database = Database::open(options);
    if (!database) return command_error(database.error());
    if (const auto fault = to_one_file(*database)) return command_error(*fault);
    if (const auto fault = database->execute("VACUUM")) return command_error(*fault);
    if (const auto fault = to_one_file(*database)) return command_error(*fault);
  }
  report.bytes_after = locked->bytes_on_disk();
  return report;
}

}  // namespace roomcast::store
