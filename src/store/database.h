#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/sync_watch.h"

struct sqlite3;
struct sqlite3_stmt;

namespace roomcast::store {

/// Why something could not be done with a file of the store.
struct Fault {
  enum class Code : std::uint8_t {
    full,      ///< no space on the disk, no quota, or the limit of the file's size is reached
    io,        ///< the disk or the file system fails
    corrupt,   ///< the file is not what was written
    readonly,  ///< the file system or the permissions do not allow it
    busy,      ///< another connection holds a lock that it should not
    other,     ///< wrong file, no memory, a mistake in a statement
  };
  Code code = Code::other;
  std::string message;  ///< names the file and says what SQLite and the system say
};

/// One prepared statement. It must not be used when its database is closed; it may be destroyed later.
///
/// Columns and parameters are numbered as SQLite does it: parameters from 1, columns from 0.
class Statement {
 public:
  /// Each sets a parameter until it is set again. Texts and blobs are not copied: they have to stay where
  /// they are until the statement has run or is reset. An error is reported by the next `step`.
  void bind_number(int parameter, std::int64_t value);
  void bind_text(int parameter, std::string_view value);
  void bind_blob(int parameter, std::string_view value);
  void bind_null(int parameter);

  /// Goes to the next row: true if there is one, false at the end, where the statement is reset. After an
  /// error it is reset as well.
  [[nodiscard]] base::Result<bool, Fault> step();
  /// Runs to the end; rows are dropped.
  [[nodiscard]] std::optional<Fault> run();
  /// Ends reading early. A statement in the middle of its rows holds its read transaction, which keeps the
  /// WAL from being used anew.
  void reset();

  /// Of the row that `step` has reached. Texts and blobs are valid until the next step or reset.
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::string_view blob(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  void note(int result);

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_result_ = 0;  ///< the first error of the parameters since the last step
};

/// A connection to one SQLite database in WAL mode, for one thread at a time. Calls block.
///
/// Of all connections to a database one writes and checkpoints, all others are read-only: SQLite
/// before 3.51.3 may corrupt a database in which one connection commits while another checkpoints. Nothing is
/// checkpointed but by `checkpoint`, not even at the end of the last connection.
class Database {
 public:
  struct Options {
    std::string path;
    /// Marks the file as ours (PRAGMA application_id); a file with another one is refused. Not 0.
    std::uint32_t application_id = 0;
    bool is_writable = true;
    bool may_create = true;      ///< if it is missing, and writable
    bool secure_delete = false;  ///< overwrites what is deleted by zeros
    std::size_t cache_bytes = std::size_t{2} << 20U;
    std::uint64_t bytes_max = 0;  ///< of the main file; 0: SQLite's own limit
    int busy_ms = 5'000;          ///< how long to wait for locks of other connections
  };
  struct Checkpoint {
    std::size_t frames = 0;   ///< in the WAL
    std::size_t written = 0;  ///< of those, also in the main file
    [[nodiscard]] bool is_complete() const { return written == frames; }
  };
  enum class CheckpointMode : std::uint8_t {
    passive,   ///< what can be done without waiting for readers; the next commit begins the WAL anew if that
               ///< is everything and nobody reads in it. The file keeps its size, which makes commits cheaper
    truncate,  ///< waits for readers (Options::busy_ms) and leaves an empty WAL file
  };

  /// To be called before the first database is opened; later it does nothing. SQLite stops counting the
  /// memory that it uses, for which all threads would take the same lock at each allocation.
  static void prepare_process();

  [[nodiscard]] static base::Result<Database, Fault> open(const Options& options);

  /// One statement or several, separated by semicolons; rows are dropped.
  [[nodiscard]] std::optional<Fault> execute(const char* sql);
  [[nodiscard]] base::Result<Statement, Fault> prepare(std::string_view sql);
  /// The first column of the first row; 0 without a row.
  [[nodiscard]] base::Result<std::int64_t, Fault> number(std::string_view sql);

  /// Looks through the whole file, but for what is in the rows: the first things that are not right, in
  /// SQLite's words; empty if all is well.
  [[nodiscard]] base::Result<std::string, Fault> quick_check();
  /// What is under way ends with a fault soon. For any thread.
  void interrupt();

  /// A checkpoint that fails has not undone any commit.
  [[nodiscard]] base::Result<Checkpoint, Fault> checkpoint(CheckpointMode mode);
  /// What this connection's last commit left in the WAL, in bytes: frames that are in use, not the file's
  /// size. 0 after a complete checkpoint, and before the first commit.
  [[nodiscard]] std::size_t wal_bytes() const;
  /// Has syncs of the WAL timed from now on. Something must have been read already: the WAL is open then.
  void time_syncs() { connection_.get_deleter().syncs = SyncWatch::of(connection_.get()); }
  /// How long those since the last call took, in microseconds, those that failed as well. 0 without
  /// `time_syncs`.
  [[nodiscard]] std::int64_t take_sync_us();
  /// Changes Options::bytes_max. What the file has already is not taken away.
  [[nodiscard]] std::optional<Fault> set_bytes_max(std::uint64_t bytes);
  /// Of the main file, with what of it is in the WAL.
  [[nodiscard]] base::Result<std::uint64_t, Fault> all_bytes();
  /// Likewise, without its free pages.
  [[nodiscard]] base::Result<std::uint64_t, Fault> used_bytes();
  /// What the main file, the WAL and its index take of the disk. Asks the file system only.
  [[nodiscard]] std::uint64_t bytes_on_disk() const { return bytes_on_disk(path_); }
  [[nodiscard]] static std::uint64_t bytes_on_disk(const std::string& path);

  /// Whether there is a transaction that has not ended; see Transaction.
  [[nodiscard]] bool is_in_transaction() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Close {
    std::unique_ptr<SyncWatch> syncs;  ///< ends before the connection does
    void operator()(sqlite3* connection);
  };
  friend class Transaction;
  Database(sqlite3* connection, std::string path);
  /// Runs a statement that is prepared once and kept in `kept`.
  [[nodiscard]] std::optional<Fault> run(std::optional<Statement>& kept, std::string_view sql);
  [[nodiscard]] std::optional<Fault> configure(const Options& options);
  [[nodiscard]] std::optional<Fault> check_application(const Options& options);

  std::string path_;
  std::unique_ptr<int> wal_frames_;  ///< at an address of its own: SQLite's hook writes to it
  std::unique_ptr<sqlite3, Close> connection_;
  // Of transactions: for each batch and each page, parsing them would cost more than running them.
  std::optional<Statement> begin_read_;
  std::optional<Statement> begin_write_;
  std::optional<Statement> first_read_;
  std::optional<Statement> commit_;
};

/// A transaction: rolled back at its end unless it is committed. The database must outlive it.
class Transaction {
 public:
  enum class Kind : std::uint8_t {
    read,   ///< sees the database as it is at the call of `begin`
    write,  ///< has the write lock from the beginning
  };
  [[nodiscard]] static base::Result<Transaction, Fault> begin(Database& database, Kind kind);

  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&& other) = delete;
  ~Transaction();

  /// Nothing of it is on the disk after an error, as far as this process can tell.
  [[nodiscard]] std::optional<Fault> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  Database* database_;
};

}  // namespace roomcast::store
