#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "unit/store/archive_fixture.h"

namespace archive_space_test {

using namespace roomcast;
using test::ArchiveFixture;

namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
constexpr std::int64_t day_ms = std::int64_t{24} * 60 * 60'000;

struct Fixture : ArchiveFixture {
  using ArchiveFixture::ArchiveFixture;

  static std::string name(store::RoomId room) { return "room" + std::to_string(room); }
  [[nodiscard]] std::uint64_t file_bytes() const { return std::filesystem::file_size(options.path); }
};

struct SmallDisk : Fixture {
  SmallDisk() : Fixture(4 * mib) {
    options.wal_bytes = mib;
    open();
  }
};

}  // namespace

TEST_CASE_FIXTURE(SmallDisk, "archive: the file never takes more than it may, and the oldest goes first") {
  constexpr store::RoomId rooms = 20;
  for (store::RoomId room = 1; room <= rooms; ++room)
    create(room, name(room));
  // One that is quiet from the beginning.
  create(100, name(100));
  publish(100, 1, "x");
  std::uint64_t top = 0;
  for (int round = 0; round < 100; ++round) {
    for (store::RoomId room = 1; room <= rooms; ++room)
      publish(room, top + 1, std::string(15'000, 'x'));
    ++top;
    fold();
    REQUIRE(file_bytes() <= options.bytes_max);
    REQUIRE(std::filesystem::file_size(options.path + "-wal") <= 3 * mib);
  }
  // 30 MB were published. What is left is the newest of each.
  CHECK(archive->evicted().disk > 1'500);
  CHECK(archive->meta().messages + archive->evicted().disk == 100 * rooms + 1);
  CHECK(archive->meta().messages > 100);
  for (store::RoomId room = 1; room <= rooms; ++room) {
    const store::RoomExtent extent = load(name(room));
    CHECK(extent.top == top);
    CHECK(extent.floor > 80);
    CHECK(extent.floor < 97);
    CHECK(read_whole(room, name(room)).size() == top - extent.floor);
  }
  const store::RoomExtent quiet = load(name(100));
  CHECK(quiet.is_written);
  CHECK(quiet.top == 1);
  CHECK(quiet.floor == 1);
}

TEST_CASE_FIXTURE(SmallDisk,
                  "archive: where nothing is left to evict, the file is full, and what it has can be read") {
  create(1, "news");
  publish(1, 1, "kept");
  fold();
  store::append_value(batch, "large", std::string(5 * mib, 'x'));
  commit();
  const std::shared_ptr<const store::TailSegment> segment = tail.cut();
  const base::Result<store::Archive::Folded, store::Fault> folded = archive->fold(*segment, rules, time());
  REQUIRE(!folded);
  CHECK(folded.error().code == store::Fault::Code::full);
  CHECK(archive->meta().folded_seq == 1);
  CHECK(file_bytes() <= options.bytes_max);
  open();
  CHECK(load("news").top == 1);
  // It was evicted in vain.
  CHECK(load("news").floor == 1);
}

TEST_CASE_FIXTURE(SmallDisk,
                  "archive: rooms that have nothing left are forgotten before the disk is full of them") {
  // So many that their rows alone would not fit, each left after its message.
  const std::string padding(150, 'n');
  store::RoomId room = 0;
  create(++room, "in use");
  publish(room, 1, "x");
  for (int i = 0; i < 60; ++i) {
    for (int k = 0; k < 500; ++k) {
      ++room;
      create(room, padding + name(room));
      publish(room, 1, "x");
      in_use.release(room);
    }
    fold();
    CHECK(file_bytes() <= 4 * mib);
  }
  CHECK(archive->meta().rooms < 12'000);
  CHECK(archive->meta().generation > 0);
  CHECK(load("in use").is_written);
  CHECK(load(padding + name(room)).top == 1);
  CHECK(!load(padding + name(2)).is_written);
}

TEST_CASE_FIXTURE(Fixture, "archive: what is past the limits of a room leaves the disk by folds and sweeps") {
  rules = hub::RoomRules(test::keeping(plenty, plenty, 10 * minute_ms),
                         {{"few", test::keeping(5, plenty, 100 * minute_ms)}});
  create(1, "few");
  create(2, "young");
  for (std::uint64_t offset = 1; offset <= 20; ++offset) {
    publish(1, offset, "x");
    publish(2, offset, "x");
  }
  fold();
  CHECK(archive->meta().messages == 25);
  CHECK(archive->evicted() == store::Evicted{15, 0, 0, 0});
  CHECK(load("few").floor == 15);
  now_ms += 10 * minute_ms;
  // Not shown any more, and gone when the clock is to be trusted.
  CHECK(load("young").floor == 20);
  const base::Result<store::Archive::Swept, store::Fault> rested = archive->sweep(rules, {now_ms, false});
  REQUIRE(rested);
  CHECK(archive->meta().messages == 25);
  sweep_to_the_end();
  CHECK(archive->meta().messages == 5);
  CHECK(archive->evicted() == store::Evicted{15, 0, 20, 0});
  CHECK(load("young").top == 20);
  CHECK(load("young").floor == 20);
  CHECK(load("young").last_time_ms == now_ms - 10 * minute_ms);
  // From there on as before.
  publish(2, 21, "y");
  fold();
  CHECK(load("young").floor == 20);
  CHECK(read_whole(2, "young").size() == 1);
  // By itself, once its time has come.
  now_ms += 10 * minute_ms;
  while (sweep().has_more) {
  }
  CHECK(archive->meta().messages == 5);
}

TEST_CASE_FIXTURE(Fixture, "archive: a message is too old from the millisecond on that its limit says") {
  rules = hub::RoomRules(test::keeping(plenty, plenty, minute_ms));
  create(1, name(1));
  create(2, name(2));
  for (const store::RoomId room : {1U, 2U}) {
    publish(room, 1, "a");
    publish(room, 2, "b");
  }
  now_ms += 10;
  publish(1, 3, "c");
  // The one in a chunk of its own, the other within a chunk, and both in the tail at first.
  for (int i = 0; i < 2; ++i) {
    commit();
    now_ms += minute_ms - 11;
    CHECK(load(name(1)).floor == 0);
    CHECK(load(name(2)).floor == 0);
    now_ms += 1;
    CHECK(load(name(1)).floor == 2);
    CHECK(load(name(2)).floor == 2);
    now_ms += 9;
    CHECK(load(name(1)).floor == 2);
    now_ms += 1;
    CHECK(load(name(1)).floor == 3);
    now_ms -= minute_ms;
    fold();
  }
}

TEST_CASE_FIXTURE(Fixture, "archive: a sweep goes in slices") {
  rules = hub::RoomRules(test::keeping(plenty, plenty, 10 * minute_ms));
  for (store::RoomId room = 1; room <= 1'200; ++room) {
    create(room, name(room));
    publish(room, 1, "x");
  }
  fold();
  while (sweep().has_more) {
  }
  now_ms += 10 * minute_ms;
  std::vector<std::uint64_t> left;
  do {
    left.push_back(archive->meta().messages);
  } while (sweep().has_more);
  CHECK(left == std::vector<std::uint64_t>{1'200, 700, 200});
  CHECK(archive->meta().messages == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "archive: a room that has nothing left for 30 days is forgotten, unless it is in use") {
  rules = hub::RoomRules(test::keeping(plenty, plenty, 10 * minute_ms));
  for (store::RoomId room = 1; room <= 3; ++room) {
    create(room, name(room));
    publish(room, 1, "x");
  }
  fold();
  now_ms += 10 * minute_ms;
  sweep_to_the_end();
  CHECK(archive->meta().rooms == 3);
  now_ms += 30 * day_ms;
  // All have been created since the start.
  sweep_to_the_end();
  CHECK(archive->meta().rooms == 3);
  CHECK(archive->meta().generation == 0);
  in_use.release(3);
  CHECK(load(name(3)).is_written);  // in use again
  sweep_to_the_end();
  CHECK(archive->meta().rooms == 3);
  store::RoomsInUse since_start;
  reader.reset();
  base::Result<store::Archive, store::Fault> again = store::Archive::open(options, tail, since_start);
  REQUIRE(again);
  since_start.mark(2);
  // Its record is not folded yet.
  publish(3, 2, "y");
  commit();
  now_ms += 2 * day_ms;
  base::Result<store::Archive::Swept, store::Fault> swept = again->sweep(rules, {now_ms, false});
  REQUIRE(swept);
  CHECK(swept->purged == 0);
  swept = again->sweep(rules, time());
  REQUIRE(swept);
  CHECK(swept->purged == 1);
  CHECK(again->meta().rooms == 2);
  CHECK(again->meta().generation == 1);
  CHECK(again->meta().next_room == 4);
  archive.reset();
  open();
  CHECK(!load(name(1)).is_written);
  CHECK(load(name(2)).is_written);
  CHECK(load(name(3)).top == 2);
}

}  // namespace archive_space_test
