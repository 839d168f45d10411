#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "loop/worker_thread.h"
#include "store/record.h"
#include "store_bench/subject.h"

namespace roomcast::store_bench {

namespace {

/// A message in a batch.
struct Row {
  std::uint32_t room;
  std::uint64_t offset;
  std::int64_t time_ms;
  std::size_t begin;  // of its body
  std::size_t end;
};

struct Batch {
  std::string records;
  std::vector<Row> rows;
};

/// Writes batches; used by the thread alone.
class Writer {
 public:
  virtual ~Writer() = default;
  virtual void commit(const Batch& batch) = 0;
};

/// Fills batches and has a thread write them, in the rhythm of the store.
class Peer final : public Subject {
 public:
  Peer(const Parts& parts, std::unique_ptr<Writer> writer)
      : parts_(parts), writer_(std::move(writer)), thread_(parts.loop, "peer") {}

  void append(std::uint32_t room, const hub::Message& message) override {
    const std::size_t begin = filling_.records.size();
    store::append_message(filling_.records, room + 1, message);
    filling_.rows.push_back({room, message.position.offset, message.time_ms,
                             begin + store::Record::head_bytes, filling_.records.size()});
  }
  [[nodiscard]] bool has_space_for(std::size_t bytes) const override {
    return filling_.records.size() + under_way_bytes_ + bytes <= queue_bytes;
  }
  [[nodiscard]] std::uint64_t batch_number() const override { return number_; }
  void turn() override {
    if (under_way_bytes_ > 0 || filling_.records.empty()) return;
    const std::int64_t now_ms = parts_.loop.monotonic_ms();
    if (now_ms < begun_ms_ + commit_ms) return;
    begun_ms_ = now_ms;
    under_way_bytes_ = filling_.records.size();
    thread_.start(std::make_unique<Job>(*this, std::exchange(filling_, {}), number_++));
  }
  void finish() override {}

 private:
  class Job final : public loop::ThreadJob {
   public:
    Job(Peer& peer, Batch batch, std::uint64_t number)
        : peer_(peer), batch_(std::move(batch)), number_(number) {}
    void run() noexcept override { peer_.writer_->commit(batch_); }
    void on_done() override {
      peer_.under_way_bytes_ = 0;
      peer_.parts_.listener.on_committed(number_);
      peer_.turn();
    }

   private:
    Peer& peer_;
    Batch batch_;
    std::uint64_t number_;
  };

  Parts parts_;
  std::unique_ptr<Writer> writer_;
  Batch filling_;
  std::uint64_t number_ = 1;
  std::size_t under_way_bytes_ = 0;
  std::int64_t begun_ms_ = 0;
  loop::WorkerThread thread_;  // last: it ends before what it uses
};

class BareWriter final : public Writer {
 public:
  explicit BareWriter(const std::string& directory)
      : file_(::open((directory + "/bare").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (file_ < 0 || ::posix_fallocate(file_, 0, size) != 0 || ::fsync(file_) != 0)
      fail("no space for " + directory + "/bare");
  }
  BareWriter(const BareWriter&) = delete;
  BareWriter& operator=(const BareWriter&) = delete;
  ~BareWriter() override { ::close(file_); }

  void commit(const Batch& batch) override {
    std::string_view rest = batch.records;
    if (position_ + static_cast<off_t>(rest.size()) > size) position_ = 0;
    while (!rest.empty()) {
      const ssize_t written = ::pwrite(file_, rest.data(), rest.size(), position_);
      if (written <= 0) fail("a write failed");
      position_ += written;
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fdatasync(file_) != 0) fail("a sync failed");
  }

 private:
  static constexpr off_t size = off_t{1} << 30U;
  int file_;
  off_t position_ = 0;
};

class RowsWriter final : public Writer {
 public:
  explicit RowsWriter(const std::string& directory) {
    check(sqlite3_open((directory + "/rows.db").c_str(), &database_));
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("PRAGMA secure_delete=OFF");
    run("PRAGMA cache_size=-49152");
    run("CREATE TABLE message(room INTEGER, offset INTEGER, time_ms INTEGER, data BLOB,"
        " PRIMARY KEY(room, offset)) WITHOUT ROWID");
    prepare("INSERT INTO message VALUES(?1,?2,?3,?4)", insert_);
    prepare("DELETE FROM message WHERE room=?1 AND offset<=?2", trim_);
    prepare("BEGIN IMMEDIATE", begin_);
    prepare("COMMIT", commit_);
  }
  RowsWriter(const RowsWriter&) = delete;
  RowsWriter& operator=(const RowsWriter&) = delete;
  ~RowsWriter() override {
    for (sqlite3_stmt* statement : {insert_, trim_, begin_, commit_})
      sqlite3_finalize(statement);
    sqlite3_close(database_);
  }

  void commit(const Batch& batch) override {
    step(begin_);
    for (const Row& row : batch.rows) {
      sqlite3_bind_int64(insert_, 1, row.room);
      sqlite3_bind_int64(insert_, 2, static_cast<sqlite3_int64>(row.offset));
      sqlite3_bind_int64(insert_, 3, row.time_ms);
      sqlite3_bind_blob(insert_, 4, batch.records.data() + row.begin, static_cast<int>(row.end - row.begin),
                        SQLITE_STATIC);
      step(insert_);
      if (row.offset <= Subject::messages_kept) continue;
      sqlite3_bind_int64(trim_, 1, row.room);
      sqlite3_bind_int64(trim_, 2, static_cast<sqlite3_int64>(row.offset - Subject::messages_kept));
      step(trim_);
    }
    step(commit_);
  }

 private:
  void check(int code) const {
    if (code != SQLITE_OK && code != SQLITE_DONE) fail(sqlite3_errmsg(database_));
  }
  void run(const char* sql) { check(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr)); }
  void prepare(const char* sql, sqlite3_stmt*& statement) {
    check(sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
  }
  void step(sqlite3_stmt* statement) const {
    check(sqlite3_step(statement));
    sqlite3_reset(statement);
  }

  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* trim_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
};

}  // namespace

void fail(const std::string& what) {
  std::fprintf(stderr, "store_bench: %s\n", what.c_str());
  std::exit(1);
}

std::unique_ptr<Subject> make_bare(const Parts& parts) {
  return std::make_unique<Peer>(parts, std::make_unique<BareWriter>(parts.directory));
}

std::unique_ptr<Subject> make_rows(const Parts& parts) {
  return std::make_unique<Peer>(parts, std::make_unique<RowsWriter>(parts.directory));
}

}  // namespace roomcast::store_bench
