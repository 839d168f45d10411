#include "store/retention.h"

#include <doctest/doctest.h>

#include <vector>

namespace retention_test {

using namespace roomcast;
using Holes = std::vector<hub::Hole>;

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t hour_ms = 60 * minute_ms;

TEST_CASE("age clock: deletion rests for the first ten minutes") {
  store::AgeClock clock(1'000'000, 5'000);
  CHECK(clock.at(1'000'000, 5'000).now_ms == 1'000'000);
  CHECK(!clock.at(1'000'000, 5'000).may_delete);
  CHECK(!clock.at(1'000'000 + 10 * minute_ms - 1, 5'000 + 10 * minute_ms - 1).may_delete);
  CHECK(clock.at(1'000'000 + 10 * minute_ms, 5'000 + 10 * minute_ms).may_delete);
  CHECK(clock.jumps() == 0);
}

TEST_CASE("age clock: a jump counts only once it has lasted for ten minutes, whichever way it goes") {
  for (const std::int64_t jump : {hour_ms, -hour_ms, 87'600 * hour_ms, -87'600 * hour_ms}) {
    CAPTURE(jump);
    store::AgeClock clock(0, 0);
    std::int64_t now = 20 * minute_ms;
    CHECK(clock.at(now, now).may_delete);
    now += minute_ms;
    store::AgeTime time = clock.at(now + jump, now);
    CHECK(time.now_ms == now);
    CHECK(!time.may_delete);
    CHECK(clock.jumps() == 1);
    now += 10 * minute_ms - 1;
    time = clock.at(now + jump, now);
    CHECK(time.now_ms == now);
    CHECK(!time.may_delete);
    ++now;
    time = clock.at(now + jump, now);
    CHECK(time.now_ms == now + jump);
    CHECK(time.may_delete);
    CHECK(clock.jumps() == 1);
  }
}

TEST_CASE("age clock: one that jumps back and forth rests anew") {
  store::AgeClock clock(0, 0);
  CHECK(clock.at(20 * minute_ms, 20 * minute_ms).may_delete);
  CHECK(!clock.at(21 * minute_ms + hour_ms, 21 * minute_ms).may_delete);
  const store::AgeTime back = clock.at(25 * minute_ms + 10, 25 * minute_ms);
  CHECK(!back.may_delete);
  CHECK(back.now_ms == 25 * minute_ms + 10);
  CHECK(!clock.at(34 * minute_ms, 34 * minute_ms).may_delete);
  CHECK(clock.at(35 * minute_ms, 35 * minute_ms).may_delete);
  CHECK(clock.jumps() == 2);
}

TEST_CASE("age clock: a clock that is slowly put right is followed") {
  store::AgeClock clock(0, 0);
  std::int64_t wall = 0;
  for (std::int64_t minute = 1; minute <= 1'000; ++minute) {
    wall += minute_ms + 500;
    CHECK(clock.at(wall, minute * minute_ms).now_ms == wall);
  }
  CHECK(clock.jumps() == 0);
}

TEST_CASE("floor by count: the last so many messages, and holes are none") {
  CHECK(store::floor_by_count(0, 10, {}, 3) == 7);
  CHECK(store::floor_by_count(0, 10, {}, 10) == 0);
  CHECK(store::floor_by_count(0, 10, {}, 100) == 0);
  CHECK(store::floor_by_count(0, 10, {}, 0) == 10);
  CHECK(store::floor_by_count(9, 10, {}, 3) == 9);
  CHECK(store::floor_by_count(0, 0, {}, 3) == 0);
  // 1 2 3 . . 6 7 8 . 10
  const Holes holes{{4, 5}, {9, 9}};
  CHECK(store::floor_by_count(0, 10, holes, 1) == 9);
  CHECK(store::floor_by_count(0, 10, holes, 2) == 7);
  CHECK(store::floor_by_count(0, 10, holes, 4) == 5);
  CHECK(store::floor_by_count(0, 10, holes, 5) == 2);
  CHECK(store::floor_by_count(0, 10, holes, 7) == 0);
  CHECK(store::floor_by_count(5, 10, holes, 7) == 5);
  // The room ends with one.
  CHECK(store::floor_by_count(0, 10, Holes{{8, 10}}, 2) == 5);
  CHECK(store::floor_by_count(0, 10, Holes{{1, 10}}, 2) == 0);
}

TEST_CASE("holes: those that touch are one, what is below the floor is none") {
  Holes holes;
  std::uint64_t floor = 3;
  store::add_hole(holes, floor, {1, 3});
  CHECK(holes.empty());
  store::add_hole(holes, floor, {2, 5});
  CHECK(holes == Holes{{4, 5}});
  store::add_hole(holes, floor, {10, 12});
  store::add_hole(holes, floor, {20, 22});
  store::add_hole(holes, floor, {10, 12});
  CHECK(holes == Holes{{4, 5}, {10, 12}, {20, 22}});
  store::add_hole(holes, floor, {13, 19});
  CHECK(holes == Holes{{4, 5}, {10, 22}});
  store::add_hole(holes, floor, {7, 8});
  CHECK(holes == Holes{{4, 5}, {7, 8}, {10, 22}});
  store::add_hole(holes, floor, {6, 30});
  CHECK(holes == Holes{{4, 30}});
  CHECK(store::holes_after(10, holes) == Holes{{11, 30}});
  CHECK(store::holes_after(30, holes).empty());
  CHECK(floor == 3);
}

TEST_CASE("holes: the oldest of too many becomes part of what is below the floor") {
  Holes holes;
  std::uint64_t floor = 0;
  for (std::uint64_t i = 1; i <= store::holes_max + 2; ++i)
    store::add_hole(holes, floor, {10 * i, 10 * i + 1});
  CHECK(holes.size() == store::holes_max);
  CHECK(floor == 21);
  CHECK(holes.front() == hub::Hole{30, 31});
}

TEST_CASE("disk shares: all of them fit into what the disk may be used for") {
  constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
  for (const std::uint64_t disk : {128 * mib, 1'024 * mib, 1'024 * 1'024 * mib}) {
    for (const std::uint64_t fold : {mib, 16 * mib, 1'024 * mib}) {
      const store::DiskShares shares = store::share_disk(disk, fold, fold);
      CAPTURE(disk);
      CAPTURE(fold);
      const std::uint64_t all = shares.history_bytes + shares.journal_bytes + 2 * shares.history_wal_bytes +
                                shares.journal_wal_bytes + 2 * shares.queue_bytes + 2 * shares.fold_bytes +
                                store::DiskShares::reserve_bytes;
      CHECK(all <= disk);
      CHECK(shares.history_bytes >= disk / 4);
      CHECK(shares.fold_bytes <= fold);
      CHECK(shares.fold_bytes >= mib);
    }
  }
  CHECK(store::share_disk(1'024 * mib, 16 * mib, 16 * mib).fold_bytes == 16 * mib);
}

TEST_CASE("rooms in use: those that were marked more often than released, in whatever order") {
  store::RoomsInUse rooms;
  rooms.mark(7);
  rooms.mark(1'000);
  const auto lock = rooms.lock();
  CHECK(rooms.has(7));
  CHECK(rooms.has(1'000));
  CHECK(!rooms.has(8));
  CHECK(!rooms.has(100'000));
}

TEST_CASE("rooms in use: one that was created, left, loaded and left is not in use, whenever it is folded") {
  store::RoomsInUse rooms;
  rooms.set_first_created(5);
  const auto has = [&](store::RoomId room) {
    const auto lock = rooms.lock();
    return rooms.has(room);
  };
  rooms.release(7);
  rooms.mark(7);
  CHECK(!has(7));
  rooms.mark_created(7);
  CHECK(has(7));
  rooms.release(7);
  CHECK(!has(7));
  // From before the start: nobody has created it since.
  rooms.mark_created(4);
  CHECK(!has(4));
  rooms.mark(4);
  CHECK(has(4));
}

}  // namespace retention_test
