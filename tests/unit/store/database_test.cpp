#include "store/database.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "support/temporary_directory.h"

namespace database_test {

using namespace roomcast;
using namespace std::string_view_literals;
using Code = store::Fault::Code;

namespace {

constexpr std::uint32_t application_id = 0x72637374;

struct Fixture {
  test::TemporaryDirectory directory;
  std::string path = directory.file("some.db");

  [[nodiscard]] store::Database::Options options() const {
    store::Database::Options made;
    made.path = path;
    made.application_id = application_id;
    made.busy_ms = 0;
    return made;
  }
  [[nodiscard]] store::Database::Options read_only() const {
    store::Database::Options made = options();
    made.is_writable = false;
    return made;
  }
};

store::Database opened(const store::Database::Options& options) {
  auto database = store::Database::open(options);
  if (!database) FAIL(database.error().message);
  return std::move(*database);
}

void execute(store::Database& database, const char* sql) {
  const auto fault = database.execute(sql);
  if (fault) FAIL(fault->message);
}

std::int64_t number(store::Database& database, std::string_view sql) {
  const auto value = database.number(sql);
  if (!value) FAIL(value.error().message);
  return *value;
}

void insert_blob(store::Database& database, std::string_view data) {
  auto insert = database.prepare("INSERT INTO log(data) VALUES(?1)");
  REQUIRE(insert.ok());
  insert->bind_blob(1, data);
  const auto fault = insert->run();
  if (fault) FAIL(fault->message);
}

std::string content_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

constexpr auto create_log = "CREATE TABLE log(seq INTEGER PRIMARY KEY, data BLOB)";

}  // namespace

TEST_CASE_FIXTURE(Fixture, "database: values come back as they were bound") {
  store::Database database = opened(options());
  execute(database, "CREATE TABLE t(id INTEGER PRIMARY KEY, number INTEGER, text TEXT, data BLOB)");
  auto insert = database.prepare("INSERT INTO t(number, text, data) VALUES(?1, ?2, ?3)");
  REQUIRE(insert.ok());
  insert->bind_number(1, -5);
  insert->bind_text(2, "ä\0b"sv);
  insert->bind_blob(3, "\xff\0"sv);
  CHECK(!insert->run());
  insert->bind_null(1);
  insert->bind_text(2, {});
  insert->bind_blob(3, {});
  CHECK(!insert->run());

  auto select = database.prepare("SELECT number, text, data FROM t ORDER BY id");
  REQUIRE(select.ok());
  CHECK(*select->step());
  CHECK(select->number(0) == -5);
  CHECK(select->text(1) == "ä\0b"sv);
  CHECK(select->blob(2) == "\xff\0"sv);
  CHECK(*select->step());
  CHECK(select->is_null(0));
  CHECK(!select->is_null(1));
  CHECK(!select->is_null(2));
  CHECK(select->blob(2).empty());
  CHECK(!*select->step());
  // At the end it can be run anew.
  CHECK(*select->step());
  CHECK(database.number("SELECT number FROM t WHERE id=99").value() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "database: a mistake in a statement or a parameter is a fault that names the file") {
  store::Database database = opened(options());
  execute(database, create_log);
  const auto wrong = database.prepare("SELECT missing FROM log");
  REQUIRE(!wrong.ok());
  CHECK(wrong.error().code == Code::other);
  CHECK(wrong.error().message == path + ": no such column: missing (SQLite error 1)");
  auto insert = database.prepare("INSERT INTO log(data) VALUES(?1)");
  REQUIRE(insert.ok());
  insert->bind_number(2, 1);
  CHECK(insert->run().has_value());
  insert->bind_number(1, 1);
  CHECK(!insert->run());
  insert->bind_number(1, 1);
  CHECK(database.execute("INSERT INTO log(seq) VALUES(1)")->code == Code::other);
}

TEST_CASE_FIXTURE(Fixture, "database: commits are synced, in a WAL that only a checkpoint empties") {
  {
    store::Database database = opened(options());
    CHECK(number(database, "PRAGMA synchronous") == 2);
    CHECK(number(database, "PRAGMA mmap_size") == 0);
    CHECK(number(database, "PRAGMA secure_delete") == 0);
    execute(database, create_log);
    for (int i = 0; i < 2'000; ++i)  // SQLite by itself would checkpoint at 1,000 pages
      insert_blob(database, std::string(3'000, 'x'));
    CHECK(database.wal_bytes() > 2'000 * 4'096);
    CHECK(database.wal_bytes() <= std::filesystem::file_size(path + "-wal"));
    CHECK(std::filesystem::file_size(path) < 10 * 4'096);
  }
  // Nor does the end of the last connection.
  CHECK(std::filesystem::file_size(path + "-wal") > 2'000 * 4'096);
  store::Database database = opened(options());
  CHECK(number(database, "SELECT count(*) FROM log") == 2'000);
  const auto done = database.checkpoint(store::Database::CheckpointMode::truncate);
  REQUIRE(done.ok());
  CHECK(done->is_complete());
  CHECK(std::filesystem::file_size(path + "-wal") == 0);
  CHECK(std::filesystem::file_size(path) > 2'000 * 3'000);
  CHECK(database.wal_bytes() == 0);
  CHECK(database.bytes_on_disk() >= std::filesystem::file_size(path));
  CHECK(store::Database::bytes_on_disk(path + ".missing") == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "database: a checkpoint does what readers allow, and the WAL is begun anew after it") {
  store::Database database = opened(options());
  execute(database, create_log);
  store::Database reader = opened(read_only());
  {
    auto reading = store::Transaction::begin(reader, store::Transaction::Kind::read);
    REQUIRE(reading.ok());
    insert_blob(database, std::string(100'000, 'x'));
    // What the transaction sees is what there was when it began.
    CHECK(number(reader, "SELECT count(*) FROM log") == 0);
    const auto passive = database.checkpoint(store::Database::CheckpointMode::passive);
    REQUIRE(passive.ok());
    CHECK(!passive->is_complete());
    CHECK(database.wal_bytes() > 100'000);
    const auto truncate = database.checkpoint(store::Database::CheckpointMode::truncate);
    REQUIRE(!truncate.ok());
    CHECK(truncate.error().code == Code::busy);
  }
  CHECK(number(reader, "SELECT count(*) FROM log") == 1);
  const auto done = database.checkpoint(store::Database::CheckpointMode::passive);
  REQUIRE(done.ok());
  CHECK(done->is_complete());
  CHECK(database.wal_bytes() == 0);
  const auto size = std::filesystem::file_size(path + "-wal");
  insert_blob(database, "x");
  CHECK(database.wal_bytes() > 0);
  CHECK(database.wal_bytes() < 20'000);
  CHECK(std::filesystem::file_size(path + "-wal") == size);
}

TEST_CASE_FIXTURE(Fixture, "database: a transaction that is not committed has not been") {
  store::Database database = opened(options());
  execute(database, create_log);
  {
    auto transaction = store::Transaction::begin(database, store::Transaction::Kind::write);
    REQUIRE(transaction.ok());
    insert_blob(database, "x");
    CHECK(database.is_in_transaction());
  }
  CHECK(!database.is_in_transaction());
  CHECK(number(database, "SELECT count(*) FROM log") == 0);
  {
    auto transaction = store::Transaction::begin(database, store::Transaction::Kind::write);
    REQUIRE(transaction.ok());
    insert_blob(database, "x");
    CHECK(!transaction->commit());
  }
  CHECK(number(database, "SELECT count(*) FROM log") == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "database: a second writer is told that it is busy, a reader that it may only read") {
  store::Database database = opened(options());
  execute(database, create_log);
  store::Database second = opened(options());
  store::Database reader = opened(read_only());
  auto transaction = store::Transaction::begin(database, store::Transaction::Kind::write);
  REQUIRE(transaction.ok());
  const auto busy = store::Transaction::begin(second, store::Transaction::Kind::write);
  REQUIRE(!busy.ok());
  CHECK(busy.error().code == Code::busy);
  CHECK(reader.execute("INSERT INTO log(data) VALUES(1)")->code == Code::readonly);
}

TEST_CASE_FIXTURE(Fixture, "database: what is not ours is refused") {
  SUBCASE("another application's") {
    { execute(*store::Database::open(options()), create_log); }
    auto of_another = options();
    of_another.application_id = 0xfedcba98;
    const auto refused = store::Database::open(of_another);
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == Code::other);
    CHECK(refused.error().message.find("another program (its application_id is 1919120244") !=
          std::string::npos);
    CHECK(store::Database::open(options()).ok());
  }
  SUBCASE("no database") {
    std::ofstream(path) << std::string(10'000, 'x');
    const auto refused = store::Database::open(options());
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == Code::corrupt);
    CHECK(refused.error().message == path + ": file is not a database (SQLite error 26)");
  }
  SUBCASE("nothing, to be read") {
    const auto refused = store::Database::open(read_only());
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == Code::io);
    CHECK(refused.error().message ==
          path + ": unable to open database file (SQLite error 14): No such file or directory");
    CHECK(!std::filesystem::exists(path));
  }
}

TEST_CASE_FIXTURE(Fixture, "database: a bound on its bytes holds, and can be raised") {
  auto small = options();
  small.bytes_max = 200'000;
  store::Database database = opened(small);
  execute(database, create_log);
  insert_blob(database, std::string(100'000, 'x'));
  const auto fault = database.execute("INSERT INTO log(data) VALUES(zeroblob(100000))");
  REQUIRE(fault);
  CHECK(fault->code == Code::full);
  CHECK(fault->message == path + ": database or disk is full (SQLite error 13)");
  CHECK(*database.used_bytes() < 200'000);
  CHECK(!database.set_bytes_max(400'000));
  insert_blob(database, std::string(100'000, 'x'));
  const std::uint64_t used = *database.used_bytes();
  CHECK(used > 200'000);
  execute(database, "DELETE FROM log WHERE seq=1");
  CHECK(*database.used_bytes() < used - 90'000);
  CHECK(!database.set_bytes_max(0));
  insert_blob(database, std::string(1'000'000, 'x'));
}

TEST_CASE_FIXTURE(Fixture,
                  "database: the limit of a file's size is told as full, and passes without a restart") {
  store::Database database = opened(options());
  execute(database, create_log);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit = before;
  limit.rlim_cur = 50'000;
  REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  const auto fault = database.execute("INSERT INTO log(data) VALUES(zeroblob(100000))");
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  REQUIRE(fault);
  CHECK(fault->code == Code::full);
  CHECK(fault->message == path + ": disk I/O error (SQLite error 778): File too large");
  insert_blob(database, "x");
  CHECK(number(database, "SELECT count(*) FROM log") == 1);
}

TEST_CASE_FIXTURE(Fixture, "database: what is deleted is overwritten if that is configured") {
  for (const bool secure_delete : {false, true}) {
    CAPTURE(secure_delete);
    auto configured = options();
    configured.path = directory.file(secure_delete ? "secure.db" : "quick.db");
    configured.secure_delete = secure_delete;
    store::Database database = opened(configured);
    execute(database, create_log);
    insert_blob(database, "something that nobody should find");
    insert_blob(database, "something else");
    execute(database, "DELETE FROM log WHERE seq=1");
    REQUIRE(database.checkpoint(store::Database::CheckpointMode::truncate).ok());
    const bool is_there = content_of(configured.path).find("nobody should find") != std::string::npos;
    CHECK(is_there == !secure_delete);
  }
}

}  // namespace database_test
