#include "store/journal.h"

#include <algorithm>
#include <utility>

#include "store/record.h"

namespace roomcast::store {

namespace {

Fault newer_format(const std::string& path, std::int64_t found) {
  return {Fault::Code::other, path + " has format " + std::to_string(found) +
                                  ", written by a newer roomcast; " + "this one reads up to " +
                                  std::to_string(Journal::format) +
                                  ": start that version again, or set another store.path"};
}

std::optional<Fault> make_tables(Database& database) {
  base::Result<std::int64_t, Fault> found = database.number("PRAGMA user_version");
  if (!found) return std::move(found.error());
  if (*found > Journal::format) return newer_format(database.path(), *found);
  if (*found == Journal::format) return std::nullopt;
  return database.execute(
      "BEGIN IMMEDIATE;"
      "CREATE TABLE IF NOT EXISTS log(seq INTEGER PRIMARY KEY, data BLOB NOT NULL);"
      "PRAGMA user_version=1;"
      "COMMIT");
}

/// Whether every record of the batch is what was written.
bool journal_batch_is_whole(std::string_view records) {
  RecordReader reader(records);
  while (reader.next())
    continue;
  return !reader.is_damaged();
}

}  // namespace

Journal::Journal(Database database, Statement append, Statement release, std::uint64_t first_seq,
                 std::uint64_t last_seq, std::uint64_t wal_bytes)
    : database_(std::move(database)),
      append_(std::move(append)),
      release_(std::move(release)),
      first_seq_(first_seq),
      last_seq_(last_seq),
      wal_bytes_(wal_bytes) {}

base::Result<Journal, Fault> Journal::open(const Options& options) {
  Database::Options how;
  how.path = options.path;
  how.application_id = application_id;
  how.may_create = options.may_create;
  how.secure_delete = options.secure_delete;
  how.cache_bytes = options.cache_bytes;
  how.bytes_max = options.bytes_max;
  how.busy_ms = options.busy_ms;
  base::Result<Database, Fault> database = Database::open(how);
  if (!database) return std::move(database.error());
  if (std::optional<Fault> fault = make_tables(*database)) return std::move(*fault);
  base::Result<Statement, Fault> append =
      database->prepare("INSERT OR REPLACE INTO log(seq, data) VALUES(?1, ?2)");
  if (!append) return std::move(append.error());
  base::Result<Statement, Fault> release = database->prepare("DELETE FROM log WHERE seq <= ?1");
  if (!release) return std::move(release.error());
  base::Result<std::int64_t, Fault> last = database->number("SELECT max(seq) FROM log");
  if (!last) return std::move(last.error());
  const base::Result<std::int64_t, Fault> first = database->number("SELECT min(seq) FROM log");
  if (!first) return first.error();
  const std::int64_t first_seq = *last == 0 ? 1 : *first;
  database->time_syncs();
  return Journal(std::move(*database), std::move(*append), std::move(*release),
                 static_cast<std::uint64_t>(first_seq), static_cast<std::uint64_t>(*last), options.wal_bytes);
}

Fault Journal::corrupt(const std::string& what) const {
  return {Fault::Code::corrupt, database_.path() + ": " + what};
}

std::optional<Fault> Journal::replay(std::uint64_t after, Replay& to) {
  base::Result<Statement, Fault> rows =
      database_.prepare("SELECT seq, data FROM log WHERE seq > ?1 ORDER BY seq");
  if (!rows) return std::move(rows.error());
  rows->bind_number(1, static_cast<std::int64_t>(after));
  for (std::uint64_t expected = after + 1;; ++expected) {
    const base::Result<bool, Fault> row = rows->step();
    if (!row) return row.error();
    if (!*row) return std::nullopt;
    const auto seq = static_cast<std::uint64_t>(rows->number(0));
    if (seq != expected)
      return corrupt("batches " + std::to_string(expected) + " to " + std::to_string(seq - 1) +
                     " are missing: a file was replaced or is older than the other");
    const std::string_view records = rows->blob(1);
    if (!journal_batch_is_whole(records))
      return corrupt("batch " + std::to_string(seq) + " has records whose checksums are wrong");
    to.on_batch(seq, std::string(records));
  }
}

std::optional<Fault> Journal::append(std::uint64_t seq, std::string_view records, const Release& also) {
  (void)database_.take_sync_us();
  base::Result<Transaction, Fault> transaction = Transaction::begin(database_, Transaction::Kind::write);
  if (!transaction) return std::move(transaction.error());
  append_.bind_number(1, static_cast<std::int64_t>(seq));
  append_.bind_blob(2, records);
  if (std::optional<Fault> fault = append_.run()) return fault;
  if (also.upto >= first_seq_) {
    if (std::optional<Fault> fault = run_release(also)) return fault;
  }
  if (std::optional<Fault> fault = transaction->commit()) return fault;
  sync_us_ = database_.take_sync_us();
  if (first_seq_ > last_seq_) first_seq_ = seq;  // it was empty
  last_seq_ = seq;
  const bool had_some = has_up_to(also.upto);
  note_released(also);
  has_just_released_ = had_some && !has_up_to(also.upto);
  return std::nullopt;
}

std::optional<Fault> Journal::release(const Release& which) {
  if (which.upto < first_seq_) return std::nullopt;
  std::optional<Fault> fault = run_release(which);
  if (!fault) note_released(which);
  return fault;
}

std::optional<Fault> Journal::run_release(const Release& which) {
  release_.bind_number(1, static_cast<std::int64_t>(end_of(which)));
  return release_.run();
}

void Journal::note_released(const Release& which) {
  if (which.upto >= first_seq_) first_seq_ = end_of(which) + 1;
}

std::uint64_t Journal::end_of(const Release& which) const {
  return std::min(which.upto, first_seq_ + which.most - 1);
}

bool Journal::is_mostly_free() {
  constexpr std::uint64_t worthwhile_bytes = std::uint64_t{1} << 20U;
  const base::Result<std::uint64_t, Fault> all = database_.all_bytes();
  const base::Result<std::uint64_t, Fault> used = database_.used_bytes();
  // The second also bounds what is added to the WAL.
  return all && used && *all >= worthwhile_bytes && *used <= *all / 4 && *used <= wal_bytes_ / 8;
}

std::optional<Fault> Journal::checkpoint(Database::CheckpointMode mode) {
  // The WAL has the pages of batches that have been dropped since, and SQLite moves those as well, unless the
  // file ends before them. Where this fails it stays as it was.
  if (is_mostly_free()) (void)database_.execute("VACUUM");
  base::Result<Database::Checkpoint, Fault> done = database_.checkpoint(mode);
  if (!done) return std::move(done.error());
  return std::nullopt;
}

}  // namespace roomcast::store
