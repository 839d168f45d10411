#include "store/database.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

namespace roomcast::store {

namespace {

constexpr std::int64_t sqlite_page_bytes = 4096;
constexpr std::int64_t wal_frame_head_bytes = 24;

Fault::Code code_of_errno(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:  // RLIMIT_FSIZE
      return Fault::Code::full;
    case EROFS:
    case EACCES:
    case EPERM:
      return Fault::Code::readonly;
    default:
      return Fault::Code::io;
  }
}

Fault::Code code_of(int result, int error) {
  switch (result & 0xff) {
    case SQLITE_FULL:
      return Fault::Code::full;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return code_of_errno(error);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Fault::Code::corrupt;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return Fault::Code::readonly;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Fault::Code::busy;
    default:
      return Fault::Code::other;
  }
}

/// The result of `call`, with errno as the last system call in it that failed has left it, or 0.
/// sqlite3_system_errno says nothing of commits, and keeps old errors.
template <class Call>
int called(Call call) {
  errno = 0;
  return call();
}

/// The fault of the last call on `connection`, which `called` has made and which returned `result`.
Fault fault_of(sqlite3* connection, std::string_view path, int result) {
  const int last = errno;
  const int primary = result & 0xff;
  const int error = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN ? last : 0;
  Fault fault{code_of(result, error), std::string(path)};
  fault.message += ": ";
  fault.message += connection == nullptr ? sqlite3_errstr(result) : sqlite3_errmsg(connection);
  fault.message += " (SQLite error " + std::to_string(result) + ")";
  if (error != 0) fault.message += ": " + std::generic_category().message(error);
  return fault;
}

Fault fault_of(sqlite3_stmt* statement, int result) {
  sqlite3* const connection = sqlite3_db_handle(statement);
  const char* const path = sqlite3_db_filename(connection, "main");
  return fault_of(connection, path == nullptr ? "" : path, result);
}

/// A pointer that is not null: SQLite takes a null for NULL, not for an empty text or blob.
const char* data_of(std::string_view value) { return value.empty() ? "" : value.data(); }

std::uint64_t bytes_of_file(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return 0;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(status.st_size, status.st_blocks * 512));
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::note(int result) {
  if (bind_result_ == SQLITE_OK) bind_result_ = result;
}

void Statement::bind_number(int parameter, std::int64_t value) {
  note(sqlite3_bind_int64(statement_.get(), parameter, value));
}

void Statement::bind_text(int parameter, std::string_view value) {
  note(sqlite3_bind_text64(statement_.get(), parameter, data_of(value), value.size(), SQLITE_STATIC,
                           SQLITE_UTF8));
}

void Statement::bind_blob(int parameter, std::string_view value) {
  note(sqlite3_bind_blob64(statement_.get(), parameter, data_of(value), value.size(), SQLITE_STATIC));
}

void Statement::bind_null(int parameter) { note(sqlite3_bind_null(statement_.get(), parameter)); }

base::Result<bool, Fault> Statement::step() {
  int result = std::exchange(bind_result_, SQLITE_OK);
  if (result == SQLITE_OK) result = called([&] { return sqlite3_step(statement_.get()); });
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) {
    reset();
    return false;
  }
  Fault fault = fault_of(statement_.get(), result);
  reset();
  return fault;
}

std::optional<Fault> Statement::run() {
  while (true) {
    auto row = step();
    if (!row) return std::move(row.error());
    if (!*row) return std::nullopt;
  }
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string_view Statement::text(int column) const {
  const unsigned char* const data = sqlite3_column_text(statement_.get(), column);
  if (data == nullptr) return {};
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
}

std::string_view Statement::blob(int column) const {
  const void* const data = sqlite3_column_blob(statement_.get(), column);
  if (data == nullptr) return {};
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

// With _v2 a statement that is left keeps the memory of the connection until it is finalized.
void Database::Close::operator()(sqlite3* connection) {
  syncs.reset();
  sqlite3_close_v2(connection);
}

Database::Database(sqlite3* connection, std::string path)
    : path_(std::move(path)), wal_frames_(std::make_unique<int>(0)), connection_(connection) {}

void Database::prepare_process() { (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

base::Result<Database, Fault> Database::open(const Options& options) {
  const int create = options.may_create ? SQLITE_OPEN_CREATE : 0;
  const int mode = options.is_writable ? SQLITE_OPEN_READWRITE | create : SQLITE_OPEN_READONLY;
  sqlite3* connection = nullptr;
  const int result = called([&] {
    return sqlite3_open_v2(options.path.c_str(), &connection,
                           mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  });
  std::optional<Fault> failed;
  if (result != SQLITE_OK) failed = fault_of(connection, options.path, result);
  Database database(connection, options.path);  // owns it after an error as well
  if (failed) return std::move(*failed);
  if (auto fault = database.configure(options)) return std::move(*fault);
  return database;
}

std::optional<Fault> Database::configure(const Options& options) {
  sqlite3* const connection = connection_.get();
  sqlite3_busy_timeout(connection, options.busy_ms);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // The page size only counts for a new file. Sorting and statements that are undone use memory, so that no
  // files appear outside the store's directory.
  std::string pragmas = "PRAGMA page_size=" + std::to_string(sqlite_page_bytes) +
                        ";PRAGMA mmap_size=0;PRAGMA temp_store=MEMORY;PRAGMA trusted_schema=OFF"
                        ";PRAGMA cell_size_check=ON;PRAGMA cache_size=-" +
                        std::to_string(std::max<std::size_t>(options.cache_bytes / 1024, 1));
  if (options.is_writable) {
    pragmas += options.secure_delete ? ";PRAGMA secure_delete=ON" : ";PRAGMA secure_delete=OFF";
    pragmas += ";PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL";
  }
  if (auto fault = execute(pragmas.c_str())) return fault;
  // The hook replaces SQLite's own, which checkpoints.
  sqlite3_wal_hook(
      connection,
      [](void* frames, sqlite3*, const char*, int count) {
        *static_cast<int*>(frames) = count;
        return SQLITE_OK;
      },
      wal_frames_.get());
  auto mode = prepare("PRAGMA journal_mode");
  if (!mode) return std::move(mode.error());
  auto row = mode->step();
  if (!row) return std::move(row.error());
  if (!*row || mode->text(0) != "wal") {
    return Fault{Fault::Code::other, path_ + ": SQLite can't keep a write-ahead log for this file"};
  }
  mode->reset();
  if (auto fault = check_application(options)) return fault;
  return options.is_writable ? set_bytes_max(options.bytes_max) : std::nullopt;
}

std::optional<Fault> Database::check_application(const Options& options) {
  const auto wanted = static_cast<std::int32_t>(options.application_id);
  auto found = number("PRAGMA application_id");
  if (!found) return std::move(found.error());
  if (*found == wanted) return std::nullopt;
  auto objects = number("SELECT count(*) FROM sqlite_schema");
  if (!objects) return std::move(objects.error());
  if (*found != 0 || *objects != 0 || !options.is_writable) {
    return Fault{Fault::Code::other, path_ +
                                         ": this is a database of another program (its application_id is " +
                                         std::to_string(*found) + ", not " + std::to_string(wanted) + ")"};
  }
  return execute(("PRAGMA application_id=" + std::to_string(wanted)).c_str());
}

std::optional<Fault> Database::execute(const char* sql) {
  const int result = called([&] { return sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr); });
  if (result == SQLITE_OK) return std::nullopt;
  return fault_of(connection_.get(), path_, result);
}

base::Result<Statement, Fault> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result = called([&] {
    return sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                              SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  });
  if (result != SQLITE_OK) return fault_of(connection_.get(), path_, result);
  return Statement(statement);
}

base::Result<std::int64_t, Fault> Database::number(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return std::move(statement.error());
  const auto row = statement->step();
  if (!row) return row.error();
  return *row ? statement->number(0) : 0;
}

base::Result<std::string, Fault> Database::quick_check() {
  auto statement = prepare("PRAGMA quick_check(3)");
  if (!statement) return std::move(statement.error());
  std::string found;
  while (true) {
    const auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return found == "ok" ? std::string() : found;
    if (!found.empty()) found += "; ";
    found += statement->text(0);
  }
}

void Database::interrupt() { sqlite3_interrupt(connection_.get()); }

base::Result<Database::Checkpoint, Fault> Database::checkpoint(CheckpointMode mode) {
  int frames = 0;
  int written = 0;
  const int kind = mode == CheckpointMode::passive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE;
  const int result =
      called([&] { return sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, kind, &frames, &written); });
  if (result != SQLITE_OK) return fault_of(connection_.get(), path_, result);
  // Both are -1 if there is no WAL yet.
  const Checkpoint done{static_cast<std::size_t>(std::max(frames, 0)),
                        static_cast<std::size_t>(std::max(written, 0))};
  *wal_frames_ = done.is_complete() ? 0 : frames;
  return done;
}

std::size_t Database::wal_bytes() const {
  return static_cast<std::size_t>(*wal_frames_ * (sqlite_page_bytes + wal_frame_head_bytes));
}

std::int64_t Database::take_sync_us() {
  const std::unique_ptr<SyncWatch>& syncs = connection_.get_deleter().syncs;
  return syncs == nullptr ? 0 : syncs->take_us();
}

std::optional<Fault> Database::set_bytes_max(std::uint64_t bytes) {
  constexpr std::uint64_t pages_max = 4'294'967'294;  // SQLite's own limit
  const std::uint64_t pages =
      bytes == 0 ? pages_max : std::clamp<std::uint64_t>(bytes / sqlite_page_bytes, 1, pages_max);
  return execute(("PRAGMA max_page_count=" + std::to_string(pages)).c_str());
}

base::Result<std::uint64_t, Fault> Database::all_bytes() {
  const auto pages = number("PRAGMA page_count");
  if (!pages) return pages.error();
  return static_cast<std::uint64_t>(*pages * sqlite_page_bytes);
}

base::Result<std::uint64_t, Fault> Database::used_bytes() {
  const auto all = all_bytes();
  if (!all) return all.error();
  const auto unused = number("PRAGMA freelist_count");
  if (!unused) return unused.error();
  const auto unused_bytes = static_cast<std::uint64_t>(*unused * sqlite_page_bytes);
  return *all - std::min(*all, unused_bytes);
}

std::uint64_t Database::bytes_on_disk(const std::string& path) {
  return bytes_of_file(path) + bytes_of_file(path + "-wal") + bytes_of_file(path + "-shm");
}

std::optional<Fault> Database::run(std::optional<Statement>& kept, std::string_view sql) {
  if (!kept) {
    auto statement = prepare(sql);
    if (!statement) return std::move(statement.error());
    kept = std::move(*statement);
  }
  return kept->run();
}

bool Database::is_in_transaction() const { return sqlite3_get_autocommit(connection_.get()) == 0; }

base::Result<Transaction, Fault> Transaction::begin(Database& database, Kind kind) {
  auto fault = kind == Kind::write ? database.run(database.begin_write_, "BEGIN IMMEDIATE")
                                   : database.run(database.begin_read_, "BEGIN");
  if (fault) return std::move(*fault);
  Transaction transaction(database);
  if (kind == Kind::read) {
    // BEGIN alone reads nothing, and so does not fix what is seen.
    fault = database.run(database.first_read_, "SELECT count(*) FROM sqlite_schema");
    if (fault) return std::move(*fault);
  }
  return transaction;
}

Transaction::Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // SQLite has rolled back by itself after some errors. A rollback that fails is not to be helped: the next
  // transaction fails as well.
  if (database_ != nullptr && database_->is_in_transaction()) (void)database_->execute("ROLLBACK");
}

std::optional<Fault> Transaction::commit() {
  if (auto fault = database_->run(database_->commit_, "COMMIT")) return fault;
  database_ = nullptr;
  return std::nullopt;
}

}  // namespace roomcast::store
