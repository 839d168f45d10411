#include "store/journal.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "store/record.h"
#include "support/temporary_directory.h"

namespace journal_test {

using namespace roomcast;
using Code = store::Fault::Code;

namespace {

std::string batch(std::uint64_t offset, std::size_t records = 1) {
  std::string bytes;
  for (std::size_t i = 0; i < records; ++i)
    store::append_mark(bytes, store::Record::Type::removed, 1, offset + i);
  store::seal(bytes);
  return bytes;
}

struct Rows final : store::Journal::Replay {
  std::map<std::uint64_t, std::string> rows;
  void on_batch(std::uint64_t seq, std::string&& records) override {
    REQUIRE((rows.empty() || rows.rbegin()->first < seq));
    rows.emplace(seq, std::move(records));
  }
};

struct Fixture {
  test::TemporaryDirectory directory;

  [[nodiscard]] store::Journal::Options options() const {
    store::Journal::Options made;
    made.path = directory.file("journal.db");
    return made;
  }
  [[nodiscard]] store::Journal open() const {
    auto journal = store::Journal::open(options());
    if (!journal) FAIL(journal.error().message);
    return std::move(*journal);
  }
  static Rows replay(store::Journal& journal, std::uint64_t after = 0) {
    Rows rows;
    const auto fault = journal.replay(after, rows);
    if (fault) FAIL(fault->message);
    return rows;
  }
};

store::Database opened(const std::string& path, std::uint32_t application_id) {
  store::Database::Options options;
  options.path = path;
  options.application_id = application_id;
  auto database = store::Database::open(options);
  if (!database) FAIL(database.error().message);
  return std::move(*database);
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "journal: what was appended is there when it is opened again") {
  {
    store::Journal journal = open();
    CHECK(journal.last_seq() == 0);
    CHECK(!journal.append(5, batch(50)));
    CHECK(!journal.append(6, batch(60, 1'000)));
    CHECK(journal.last_seq() == 6);
  }
  store::Journal journal = open();
  CHECK(journal.last_seq() == 6);
  const Rows rows = replay(journal, 4);
  CHECK(rows.rows == std::map<std::uint64_t, std::string>{{5, batch(50)}, {6, batch(60, 1'000)}});
  CHECK(replay(journal, 5).rows.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "journal: a batch that is appended once more takes its own place") {
  store::Journal journal = open();
  CHECK(!journal.append(1, batch(1)));
  CHECK(!journal.append(1, batch(1)));
  CHECK(replay(journal).rows.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "journal: batches are released some at a time, and no others") {
  store::Journal journal = open();
  for (std::uint64_t seq = 1; seq <= 10; ++seq)
    REQUIRE(!journal.append(seq, batch(seq)));
  CHECK(journal.has_up_to(7));
  CHECK(!journal.release({7, 4}));
  CHECK(journal.has_up_to(7));
  CHECK(replay(journal, 4).rows.size() == 6);
  CHECK(!journal.append(11, batch(11), {7, 2}));
  CHECK(replay(journal, 6).rows.size() == 5);
  CHECK(!journal.append(12, batch(12), {7, 2}));
  CHECK(!journal.has_up_to(7));
  CHECK(replay(journal, 7).rows.size() == 5);
  CHECK(!journal.release({7, 2}));
  CHECK(!journal.checkpoint(store::Database::CheckpointMode::truncate));
  CHECK(replay(journal, 7).rows.size() == 5);
}

TEST_CASE_FIXTURE(Fixture, "journal: once most is released a checkpoint moves only what is left") {
  constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
  store::Journal::Options how = options();
  how.wal_bytes = 12 * mib;
  auto opened = store::Journal::open(how);
  REQUIRE(opened.ok());
  store::Journal& journal = *opened;
  for (std::uint64_t seq = 1; seq <= 400; ++seq)
    REQUIRE(!journal.append(seq, batch(seq, 300)));
  CHECK(!journal.wants_checkpoint());
  // Of what is mostly in use all is moved.
  REQUIRE(!journal.append(401, batch(401, 300), {100, 99}));
  CHECK(!journal.wants_checkpoint());
  REQUIRE(!journal.append(402, batch(402, 300), {100, 99}));
  CHECK(journal.wants_checkpoint());
  REQUIRE(!journal.append(403, batch(403, 300)));
  CHECK(!journal.wants_checkpoint());
  CHECK(!journal.checkpoint(store::Database::CheckpointMode::passive));
  CHECK(std::filesystem::file_size(how.path) > 3 * mib);
  CHECK(replay(journal, 100).rows.size() == 303);

  REQUIRE(!journal.append(404, batch(404, 300), {390, 300}));
  CHECK(!journal.checkpoint(store::Database::CheckpointMode::passive));
  CHECK(std::filesystem::file_size(how.path) < mib);
  const Rows left = replay(journal, 390);
  CHECK(left.rows.size() == 14);
  CHECK(left.rows.at(404) == batch(404, 300));
  REQUIRE(!journal.append(405, batch(405)));
  const store::Journal again = open();
  CHECK(again.last_seq() == 405);
  CHECK(again.has_up_to(391));
  CHECK(!again.has_up_to(390));
}

TEST_CASE_FIXTURE(Fixture, "journal: one that is opened again knows what has been dropped") {
  {
    store::Journal journal = open();
    for (std::uint64_t seq = 1; seq <= 10; ++seq)
      REQUIRE(!journal.append(seq, batch(seq)));
    CHECK(!journal.release({4, 100}));
  }
  store::Journal journal = open();
  CHECK(!journal.has_up_to(4));
  CHECK(journal.has_up_to(5));
  CHECK(!journal.release({6, 1}));
  CHECK(replay(journal, 5).rows.size() == 5);
  CHECK(!journal.release({100, 100}));
  CHECK(!journal.has_up_to(100));
  CHECK(!journal.append(11, batch(11)));
  CHECK(journal.has_up_to(100));
}

TEST_CASE_FIXTURE(Fixture, "journal: a batch that is missing is a fault") {
  store::Journal journal = open();
  for (const std::uint64_t seq : {3U, 4U, 6U})
    REQUIRE(!journal.append(seq, batch(seq)));
  Rows rows;
  auto fault = journal.replay(2, rows);
  REQUIRE(fault);
  CHECK(fault->code == Code::corrupt);
  CHECK(fault->message.find("journal.db: batches 5 to 5 are missing") != std::string::npos);
  fault = journal.replay(1, rows);
  REQUIRE(fault);
  CHECK(fault->message.find("batches 2 to 2 are missing") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "journal: a batch with a record that is not what was written is a fault") {
  {
    store::Journal journal = open();
    std::string damaged = batch(1, 3);
    damaged[damaged.size() - 3] ^= 1;
    CHECK(!journal.append(1, damaged));
  }
  store::Journal journal = open();
  Rows rows;
  const auto fault = journal.replay(0, rows);
  REQUIRE(fault);
  CHECK(fault->code == Code::corrupt);
  CHECK(fault->message.find("journal.db: batch 1 ") != std::string::npos);
  CHECK(rows.rows.empty());
}

TEST_CASE_FIXTURE(Fixture, "journal: one of a newer format is refused, with its number") {
  static_cast<void>(open());
  {
    store::Database database = opened(options().path, store::Journal::application_id);
    REQUIRE(!database.execute("PRAGMA user_version=2"));
  }
  const auto journal = store::Journal::open(options());
  REQUIRE(!journal.ok());
  CHECK(journal.error().code == Code::other);
  CHECK(journal.error().message.find("journal.db has format 2, written by a newer roomcast") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "journal: the file of another program is refused") {
  {
    store::Database database = opened(options().path, 0x1234);
    REQUIRE(!database.execute("CREATE TABLE t(a)"));
  }
  const auto journal = store::Journal::open(options());
  REQUIRE(!journal.ok());
  CHECK(journal.error().message.find("journal.db") != std::string::npos);
}

}  // namespace journal_test
