#include "store/archive.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "unit/store/archive_fixture.h"

namespace archive_test {

using namespace roomcast;
using test::ArchiveFixture;
using Offsets = std::vector<std::uint64_t>;

namespace {

Offsets offsets(const std::vector<ArchiveFixture::Read>& messages) {
  Offsets offsets;
  offsets.reserve(messages.size());
  for (const ArchiveFixture::Read& message : messages)
    offsets.push_back(message.offset);
  return offsets;
}

struct Fixture : ArchiveFixture {
  using ArchiveFixture::ArchiveFixture;

  /// Another connection, which does what no part of the server may do.
  void tamper(const std::string& sql) {
    store::Database::Options file;
    file.path = options.path;
    file.application_id = store::Archive::application_id;
    base::Result<store::Database, store::Fault> database = store::Database::open(file);
    REQUIRE(database);
    REQUIRE_FALSE(database->execute(sql.c_str()));
  }
  std::int64_t number(const std::string& sql) {
    store::Database::Options file;
    file.path = options.path;
    file.application_id = store::Archive::application_id;
    file.is_writable = false;
    base::Result<store::Database, store::Fault> database = store::Database::open(file);
    REQUIRE(database);
    const base::Result<std::int64_t, store::Fault> found = database->number(sql);
    REQUIRE(found);
    return *found;
  }
  void publish_many(store::RoomId room, std::uint64_t first, std::uint64_t last, std::size_t bytes = 20) {
    for (std::uint64_t offset = first; offset <= last; ++offset)
      publish(room, offset, std::string(bytes, 'x'));
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "archive: a room that was never written has an epoch of its own, the same at each start") {
  const std::uint64_t epoch = load("news").epoch;
  CHECK((epoch & 1U) == 1);
  CHECK(load("news").id == 0);
  CHECK(!load("news").is_written);
  CHECK(load("other").epoch != epoch);
  REQUIRE_FALSE(archive->begin());
  CHECK(load("news").epoch == epoch);
  REQUIRE_FALSE(archive->end());
  open();
  REQUIRE_FALSE(archive->begin());
  CHECK(load("news").epoch == epoch);
  // Not well ended: what was given out since then must not be given out again.
  open();
  REQUIRE_FALSE(archive->begin());
  CHECK(archive->meta().generation == 1);
  CHECK(load("news").epoch != epoch);
}

TEST_CASE_FIXTURE(Fixture, "archive: what is in the tail is there like what is in chunks") {
  create(1, "news");
  publish(1, 1, "one");
  publish(1, 2, "two");
  commit();
  CHECK(load("news").is_written);
  CHECK(load("news").epoch == 71);
  CHECK(load("news").top == 2);
  const std::vector<Read> both{{1, "one"}, {2, "two"}};
  CHECK(read_whole(1, "news") == both);
  fold();
  CHECK(read_whole(1, "news") == both);
  publish(1, 3, "three");
  commit();
  CHECK(offsets(read_whole(1, "news", 1)) == Offsets{1, 2, 3});
  CHECK(load("news").top == 3);
  CHECK(load("news").last_time_ms == now_ms);
  CHECK(archive->meta().messages == 2);
  CHECK(archive->meta().rooms == 1);
  CHECK(archive->meta().next_room == 2);
  CHECK(archive->meta().store_id == "0123456789abcdef");
}

TEST_CASE_FIXTURE(Fixture, "archive: a page has its limits, but one message at least") {
  create(1, "news");
  publish(1, 1, std::string(300'000, 'a'));
  publish_many(1, 2, 400, 1'000);
  fold();
  CHECK(offsets(messages(read(1, "news", 0).page.records)) == Offsets{1});
  const store::RecordPage page = read(1, "news", 1).page;
  CHECK(page.records.size() <= store::ArchiveReader::page_bytes_max);
  CHECK(page.records.size() > store::ArchiveReader::page_bytes_max - 2'000);
  CHECK(messages(read(1, "news", 1, 7).page.records).size() == 7);
  CHECK(messages(read(1, "news", 1, 100, 1).page.records).size() == 1);
  CHECK(messages(read(1, "news", 400).page.records).empty());
  CHECK(read_whole(1, "news").size() == 400);
  // Of a room that is not there.
  CHECK(read(9, "none", 5).page.records.empty());
  CHECK(read(9, "none", 5).page.floor == 5);
}

TEST_CASE_FIXTURE(Fixture, "archive: small chunks become one, and are read as before") {
  create(1, "news");
  std::uint64_t top = 0;
  for (int i = 0; i < 200; ++i) {
    publish_many(1, top + 1, top + 2);
    top += 2;
    fold();
    REQUIRE(read_whole(1, "news", 3).size() == top);
  }
  // 400 messages of some 60 bytes.
  CHECK(number("SELECT count(*) FROM chunk") <= 16 + 400 * 70 / 2'048);
  CHECK(archive->meta().messages == 400);
}

TEST_CASE_FIXTURE(Fixture, "archive: a fold that is made again changes nothing") {
  create(1, "news");
  publish_many(1, 1, 20);
  mark(store::Record::Type::hole, 1, 25, 21);
  publish_many(1, 26, 30);
  mark(store::Record::Type::removed, 1, 3);
  mark(store::Record::Type::ceiling, 1, 1'000);
  commit();
  const std::shared_ptr<const store::TailSegment> segment = tail.cut();
  REQUIRE(archive->fold(*segment, rules, time()));
  const std::vector<Read> before = read_whole(1, "news");
  CHECK(before.size() == 25);
  CHECK(before[2].payload == "-");
  // As after a crash between rooms: the number of the last commit is not noted yet.
  tamper("UPDATE meta SET value=0 WHERE key='folded_seq'");
  open();
  REQUIRE(archive->fold(*segment, rules, time()));
  tail.release_cut();
  CHECK(archive->meta().messages == 25);
  CHECK(read_whole(1, "news") == before);
  CHECK(load("news").holes == std::vector<hub::Hole>{{21, 25}});
  CHECK(load("news").ceiling == 1'000);
  CHECK(load("news").top == 30);
}

TEST_CASE_FIXTURE(Fixture, "archive: a fold that is too large for the WAL goes in parts") {
  options.wal_bytes = 100'000;
  open();
  for (store::RoomId room = 1; room <= 50; ++room) {
    create(room, "room" + std::to_string(room));
    publish_many(room, 1, 20, 1'000);
  }
  fold();
  CHECK(store::Database::bytes_on_disk(options.path + "-wal") < 500'000);
  for (store::RoomId room = 1; room <= 50; ++room)
    CHECK(read_whole(room, "room" + std::to_string(room)).size() == 20);
  CHECK(archive->meta().messages == 1'000);
  CHECK(archive->meta().rooms == 50);
}

TEST_CASE_FIXTURE(Fixture, "archive: amendments count wherever the message is") {
  create(1, "news");
  store::PublishKey key{"key", {}};
  key.digest[3] = 7;
  publish(1, 1, "one");
  publish(1, 2, "two", key);
  publish(1, 3, "three");
  fold();
  publish(1, 4, "four");
  const auto amend = [&] {
    mark(store::Record::Type::removed, 1, 1, now_ms);
    now_ms += 1'000;
    publish(1, 2, "2", {}, store::Record::Type::replaced);
    publish(1, 4, "4", {}, store::Record::Type::replaced);
    publish(1, 4, "IV", {}, store::Record::Type::replaced);
  };
  amend();
  commit();
  const std::vector<Read> amended{{1, "-"}, {2, "2"}, {3, "three"}, {4, "IV"}};
  CHECK(read_whole(1, "news") == amended);
  CHECK(load("news").keys.size() == 1);
  fold();
  CHECK(read_whole(1, "news") == amended);
  // Time and key are those of the message that was replaced.
  const std::vector<store::KnownKey> keys = load("news").keys;
  REQUIRE(keys.size() == 1);
  CHECK(keys[0].text == "key");
  CHECK(keys[0].digest == key.digest);
  CHECK(keys[0].offset == 2);
  CHECK(keys[0].time_ms == now_ms - 1'000);
  CHECK(load("news").last_time_ms == now_ms - 1'000);
  // What was removed is not on the disk any more.
  CHECK(number("SELECT count(*) FROM chunk WHERE instr(data,CAST('one' AS BLOB))>0") == 0);
  CHECK(number("SELECT count(*) FROM chunk WHERE instr(data,CAST('three' AS BLOB))>0") == 1);
  mark(store::Record::Type::cleared, 1, 3);
  commit();
  CHECK(offsets(read_whole(1, "news")) == Offsets{4});
  CHECK(load("news").floor == 3);
  fold();
  CHECK(offsets(read_whole(1, "news")) == Offsets{4});
  CHECK(number("SELECT count(*) FROM chunk WHERE instr(data,CAST('three' AS BLOB))>0") == 0);
  mark(store::Record::Type::cleared, 1, 4);
  fold();
  CHECK(load("news").floor == 4);
  CHECK(load("news").top == 4);
  CHECK(archive->meta().messages == 0);
}

TEST_CASE_FIXTURE(Fixture, "archive: a removed message keeps its key, in the tail and in chunks") {
  create(1, "news");
  store::PublishKey key{"key", {}};
  key.digest[3] = 7;
  publish(1, 1, "secret words", key);
  fold();
  mark(store::Record::Type::removed, 1, 1, now_ms);
  commit();
  for (int written = 0; written < 3; ++written) {
    CAPTURE(written);
    CHECK(read_whole(1, "news") == std::vector<Read>{{1, "-"}});
    const std::vector<store::KnownKey> keys = load("news").keys;
    REQUIRE(keys.size() == 1);
    CHECK(keys[0].text == "key");
    CHECK(keys[0].digest == key.digest);
    CHECK(keys[0].offset == 1);
    // The chunk is written once more, with the place in it.
    if (written == 1) mark(store::Record::Type::removed, 1, 1, now_ms);
    fold();
  }
  CHECK(number("SELECT count(*) FROM chunk WHERE instr(data,CAST('secret' AS BLOB))>0") == 0);
}

TEST_CASE_FIXTURE(Fixture, "archive: messages that are replaced by large ones fill several chunks") {
  create(1, "news");
  publish_many(1, 1, 10);
  fold();
  for (std::uint64_t offset = 3; offset <= 6; ++offset)
    publish(1, offset, std::string(30'000, 'y'), {}, store::Record::Type::replaced);
  fold();
  CHECK(offsets(read_whole(1, "news")) == Offsets{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(number("SELECT max(bytes) FROM chunk") <= 33'000);
  CHECK(archive->meta().messages == 10);
}

TEST_CASE_FIXTURE(Fixture, "archive: the keys of the last five minutes, a thousand at most") {
  create(1, "news");
  publish(1, 1, "old", {"old", {}});
  now_ms += 1;
  publish(1, 2, "x", {"first", {}});
  publish(1, 3, "none");
  fold();
  publish(1, 4, "y", {"second", {}});
  commit();
  now_ms += store::ArchiveReader::keys_ms - 1;
  std::vector<store::KnownKey> keys = load("news").keys;
  REQUIRE(keys.size() == 2);
  CHECK(keys[0].text == "first");
  CHECK(keys[0].offset == 2);
  CHECK(keys[1].text == "second");
  for (std::uint64_t offset = 5; offset < 1'005; ++offset)
    publish(1, offset, "z", {std::to_string(offset), {}});
  fold();
  keys = load("news").keys;
  REQUIRE(keys.size() == store::ArchiveReader::keys_max);
  CHECK(keys.front().text == "5");
  CHECK(keys.back().text == "1004");
}

TEST_CASE_FIXTURE(Fixture, "archive: named values are kept until they are empty") {
  store::append_value(batch, "bans", "1");
  store::append_value(batch, "other", "2");
  fold();
  store::append_value(batch, "bans", std::string("a\0b", 3));
  store::append_value(batch, "other", "");
  fold();
  open();
  const auto values = archive->values();
  REQUIRE(values);
  REQUIRE(values->size() == 1);
  CHECK(values->front().name == "bans");
  CHECK(values->front().value == std::string("a\0b", 3));
}

TEST_CASE_FIXTURE(Fixture, "archive: records of a room that nobody created are dropped, and counted") {
  publish(3, 1, "x");
  create(4, "news");
  publish(4, 1, "y");
  create(5, "news");
  publish(5, 1, "z");
  CHECK(fold().orphans == 3);
  CHECK(read_whole(4, "news").size() == 1);
  CHECK(read_whole(3, "x").empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "archive: a ceiling stays until it is taken back, and what it covers becomes a hole") {
  create(1, "news");
  publish(1, 1, "x");
  mark(store::Record::Type::ceiling, 1, 1'000);
  publish(1, 2, "y");
  for (int i = 0; i < 2; ++i) {
    fold();
    open();
    CHECK(load("news").top == 2);
    CHECK(load("news").ceiling == 1'000);
  }
  mark(store::Record::Type::top, 1, 2);
  fold();
  CHECK(load("news").ceiling == 2);
  mark(store::Record::Type::ceiling, 1, 1'000);
  mark(store::Record::Type::hole, 1, 1'000, 3);
  publish(1, 1'001, "z");
  fold();
  const store::RoomExtent extent = load("news");
  CHECK(extent.top == 1'001);
  CHECK(extent.ceiling == 1'001);
  CHECK(extent.floor == 0);
  CHECK(extent.holes == std::vector<hub::Hole>{{3, 1'000}});
  // A page has nothing missing between its messages.
  CHECK(offsets(messages(read(1, "news", 0).page.records)) == Offsets{1, 2});
  CHECK(offsets(messages(read(1, "news", 2).page.records)) == Offsets{1'001});
  CHECK(offsets(messages(read(1, "news", 500).page.records)) == Offsets{1'001});
  CHECK(read(1, "news", 0).page.holes == extent.holes);
}

TEST_CASE_FIXTURE(Fixture, "archive: a file of a newer format or of another program is refused, in words") {
  tamper("UPDATE meta SET value=2 WHERE key='format'");
  reader.reset();
  archive.reset();
  base::Result<store::Archive, store::Fault> opened = store::Archive::open(options, tail, in_use);
  REQUIRE(!opened);
  CHECK(opened.error().code == store::Fault::Code::other);
  CHECK(opened.error().message == options.path +
                                      ": its format is 2, and this version of roomcast knows those up to 1: "
                                      "use the version that wrote it, or a "
                                      "newer one");
}

}  // namespace archive_test
