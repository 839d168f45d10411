#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "unit/store/archive_fixture.h"

namespace quarantine_test {

using namespace roomcast;
using test::ArchiveFixture;
using Offsets = std::vector<std::uint64_t>;
using Holes = std::vector<hub::Hole>;

namespace {

struct Fixture : ArchiveFixture {
  Fixture() {
    create(1, "news");
    for (std::uint64_t offset = 1; offset <= 9; ++offset) {
      publish(1, offset, "message-" + std::to_string(offset));
      if (offset % 3 == 0) fold();
    }
  }

  base::Result<store::Database, store::Fault> other_connection() const {
    store::Database::Options file;
    file.path = options.path;
    file.application_id = store::Archive::application_id;
    return store::Database::open(file);
  }
  /// Changes bytes in chunks as a disk may do it.
  void damage(const std::string& from, const std::string& to) {
    base::Result<store::Database, store::Fault> database = other_connection();
    REQUIRE(database);
    const std::string sql = "UPDATE chunk SET data=CAST(replace(hex(data),hex('" + from + "'),hex('" + to +
                            "')) AS TEXT) WHERE instr(data,CAST('" + from + "' AS BLOB))>0";
    REQUIRE_FALSE(database->execute(sql.c_str()));
    // Back from hexadecimal: SQLite 3.40 has no unhex().
    base::Result<store::Statement, store::Fault> find =
        database->prepare("SELECT id,data FROM chunk WHERE typeof(data)='text'");
    REQUIRE(find);
    base::Result<store::Statement, store::Fault> put =
        database->prepare("UPDATE chunk SET data=?2 WHERE id=?1");
    REQUIRE(put);
    std::vector<std::pair<std::int64_t, std::string>> rows;
    while (*find->step())
      rows.emplace_back(find->number(0), std::string(find->text(1)));
    REQUIRE(!rows.empty());
    for (const auto& [id, hex] : rows) {
      std::string bytes;
      for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
      put->bind_number(1, id);
      put->bind_blob(2, bytes);
      REQUIRE_FALSE(put->run());
    }
  }
  std::int64_t number(const char* sql) {
    base::Result<store::Database, store::Fault> database = other_connection();
    REQUIRE(database);
    const base::Result<std::int64_t, store::Fault> found = database->number(sql);
    REQUIRE(found);
    return *found;
  }
  Offsets offsets() {
    Offsets offsets;
    for (const Read& message : read_whole(1, "news")) {
      CHECK(message.payload == "message-" + std::to_string(message.offset));
      offsets.push_back(message.offset);
    }
    return offsets;
  }
  void quarantine(const std::vector<store::Damage>& damage) {
    for (const store::Damage& one : damage)
      REQUIRE_FALSE(archive->quarantine(one, now_ms));
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "quarantine: what is whole in a damaged chunk is used, the rest is a hole") {
  damage("message-5", "message_5");
  const store::ArchiveReader::Page page = read(1, "news", 3);
  CHECK(messages(page.page.records) == std::vector<Read>{{4, "message-4"}});
  CHECK(page.page.holes == Holes{{5, 5}});
  REQUIRE(page.damage.size() == 1);
  CHECK(page.damage[0].room == 1);
  CHECK(page.damage[0].first == 4);
  CHECK(page.damage[0].last == 6);
  CHECK(offsets() == Offsets{1, 2, 3, 4, 6, 7, 8, 9});

  quarantine(page.damage);
  const store::ArchiveReader::Page after = read(1, "news", 3);
  CHECK(after.damage.empty());
  CHECK(after.page.holes == Holes{{5, 5}});
  CHECK(load("news").holes == Holes{{5, 5}});
  CHECK(offsets() == Offsets{1, 2, 3, 4, 6, 7, 8, 9});
  CHECK(archive->meta().messages == 8);
  CHECK(number("SELECT count(*) FROM quarantine WHERE room=1 AND first=4 AND last=6 AND "
               "instr(data,CAST('message_5' AS BLOB))>0") == 1);
  // Once more: it is whole now.
  quarantine(page.damage);
  CHECK(number("SELECT count(*) FROM quarantine") == 1);
  open();
  CHECK(load("news").holes == Holes{{5, 5}});
}

TEST_CASE_FIXTURE(Fixture, "quarantine: at the end of a room its offsets are not given out again") {
  damage("message-9", "message_9");
  damage("message-8", "message_8");
  damage("message-7", "message_7");
  quarantine(read(1, "news", 6).damage);
  CHECK(offsets() == Offsets{1, 2, 3, 4, 5, 6});
  CHECK(load("news").top == 9);
  CHECK(load("news").holes == Holes{{7, 9}});
  CHECK(load("news").last_time_ms == now_ms);
  publish(1, 10, "message-10");
  fold();
  CHECK(offsets() == Offsets{1, 2, 3, 4, 5, 6, 10});
  CHECK(load("news").holes == Holes{{7, 9}});
}

TEST_CASE_FIXTURE(Fixture, "quarantine: a room may lose everything but its place") {
  for (int i = 1; i <= 9; ++i)
    damage("message-" + std::to_string(i), "message_" + std::to_string(i));
  store::ArchiveReader::Page page = read(1, "news", 0);
  CHECK(page.page.records.empty());
  CHECK(page.damage.size() == 3);
  quarantine(page.damage);
  CHECK(load("news").top == 9);
  CHECK(load("news").floor == 9);
  CHECK(load("news").epoch == 71);
  CHECK(archive->meta().messages == 0);
  CHECK(number("SELECT count(*) FROM chunk") == 0);
}

TEST_CASE_FIXTURE(Fixture, "quarantine: a fold that comes across damage takes it out as well") {
  damage("message-5", "message_5");
  mark(store::Record::Type::removed, 1, 4, now_ms);
  const store::Archive::Folded folded = fold();
  REQUIRE(folded.damage.size() == 1);
  CHECK(folded.damage[0].first == 4);
  CHECK(number("SELECT count(*) FROM quarantine") == 1);
  const std::vector<Read> expected{{4, "-"}};
  CHECK(messages(read(1, "news", 3).page.records) == expected);
  CHECK(load("news").holes == Holes{{5, 5}});
}

TEST_CASE_FIXTURE(Fixture, "quarantine: it does not grow for ever") {
  now_ms += 1;
  publish(1, 10, std::string(6'000'000, 'x'));
  fold();
  publish(1, 11, std::string(6'000'000, 'y'));
  fold();
  damage("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX");
  damage("yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", "YYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYY");
  quarantine(read(1, "news", 9).damage);
  CHECK(number("SELECT count(*) FROM quarantine") == 1);
  CHECK(number("SELECT first FROM quarantine") == 11);
  CHECK(load("news").top == 11);
}

}  // namespace quarantine_test
