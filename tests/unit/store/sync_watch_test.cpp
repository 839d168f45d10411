#include "store/sync_watch.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "support/temporary_directory.h"

namespace sync_watch_test {

using namespace roomcast;

namespace {

constexpr std::chrono::milliseconds slowness{20};

struct Close {
  void operator()(sqlite3* connection) const { sqlite3_close(connection); }
};

/// A connection to a database whose WAL takes a while to sync, or fails after it.
struct SlowDatabase {
  test::TemporaryDirectory scratch;
  sqlite3_io_methods slow{};
  bool fails = false;
  std::unique_ptr<sqlite3, Close> connection;

  SlowDatabase() {
    sqlite3* opened = nullptr;
    REQUIRE(sqlite3_open(scratch.file("some.db").c_str(), &opened) == SQLITE_OK);
    connection.reset(opened);
  }
  [[nodiscard]] int run(const char* sql) const {
    return sqlite3_exec(connection.get(), sql, nullptr, nullptr, nullptr);
  }
  [[nodiscard]] sqlite3_file* wal() const {
    sqlite3_file* file = nullptr;
    sqlite3_file_control(connection.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    return file;
  }
  void open_wal() {
    REQUIRE(run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(x)") == SQLITE_OK);
    slow = *wal()->pMethods;
    slow.xSync = fails ? failing_sync : slow_sync;
    wal()->pMethods = &slow;
  }
  static int slow_sync(sqlite3_file* /*file*/, int /*flags*/) {
    std::this_thread::sleep_for(slowness);
    return SQLITE_OK;
  }
  static int failing_sync(sqlite3_file* file, int flags) {
    slow_sync(file, flags);
    return SQLITE_IOERR_FSYNC;
  }
};

constexpr std::int64_t slowness_us = std::chrono::microseconds(slowness).count();

}  // namespace

TEST_CASE_FIXTURE(SlowDatabase, "sync watch: what syncs of the WAL take is counted until it is taken") {
  open_wal();
  const std::unique_ptr<store::SyncWatch> watch = store::SyncWatch::of(connection.get());
  REQUIRE(watch != nullptr);
  CHECK(watch->take_us() == 0);
  REQUIRE(run("INSERT INTO t VALUES(1)") == SQLITE_OK);
  REQUIRE(run("INSERT INTO t VALUES(2)") == SQLITE_OK);
  CHECK(watch->take_us() >= 2 * slowness_us);
  CHECK(watch->take_us() == 0);
  REQUIRE(run("SELECT * FROM t") == SQLITE_OK);
  CHECK(watch->take_us() == 0);
}

TEST_CASE_FIXTURE(SlowDatabase, "sync watch: a sync that fails fails, and has taken its time") {
  fails = true;
  open_wal();
  const std::unique_ptr<store::SyncWatch> watch = store::SyncWatch::of(connection.get());
  REQUIRE(watch != nullptr);
  CHECK(run("INSERT INTO t VALUES(1)") == SQLITE_IOERR);
  CHECK(watch->take_us() >= slowness_us);
}

TEST_CASE_FIXTURE(SlowDatabase, "sync watch: the file has its own methods again afterwards") {
  open_wal();
  std::unique_ptr<store::SyncWatch> watch = store::SyncWatch::of(connection.get());
  CHECK(wal()->pMethods != &slow);
  watch.reset();
  CHECK(wal()->pMethods == &slow);
  CHECK(run("INSERT INTO t VALUES(1)") == SQLITE_OK);
}

TEST_CASE_FIXTURE(SlowDatabase, "sync watch: there is none before the WAL is open") {
  CHECK(store::SyncWatch::of(connection.get()) == nullptr);
}

}  // namespace sync_watch_test
