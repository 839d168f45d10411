#include "store/tail.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace tail_test {

using namespace roomcast;
using Type = store::Record::Type;

namespace {

std::string marks(std::initializer_list<std::pair<store::RoomId, std::uint64_t>> list) {
  std::string records;
  for (const auto& [room, offset] : list)
    store::append_mark(records, Type::removed, room, offset);
  store::seal(records);
  return records;
}

std::string room_record(store::RoomId room, std::string_view name) {
  std::string records;
  store::append_room(records, room, name, 77);
  store::seal(records);
  return records;
}

std::vector<std::uint64_t> offsets(const store::TailRecords& records) {
  std::vector<std::uint64_t> found;
  for (const std::string_view bytes : records.records) {
    store::RecordReader reader(bytes);
    const auto record = reader.next();
    REQUIRE(record);
    found.push_back(record->offset);
  }
  return found;
}

}  // namespace

TEST_CASE("tail: finds the records of a room in the order of their commits, cut off or not") {
  store::Tail tail;
  CHECK(tail.cut() == nullptr);
  CHECK(tail.bytes() == 0);
  tail.add(1, marks({{1, 10}, {2, 20}, {1, 11}}));
  tail.add(2, marks({{1, 12}}));
  const auto cut = tail.cut();
  REQUIRE(cut != nullptr);
  CHECK(cut->last_seq == 2);
  CHECK(cut->batches.size() == 2);
  CHECK(cut->bytes == tail.bytes());
  tail.add(3, marks({{1, 13}, {3, 30}}));
  CHECK(offsets(tail.find(1)) == std::vector<std::uint64_t>{10, 11, 12, 13});
  CHECK(offsets(tail.find(2)) == std::vector<std::uint64_t>{20});
  CHECK(offsets(tail.find(3)) == std::vector<std::uint64_t>{30});
  CHECK(tail.find(4).records.empty());
}

TEST_CASE("tail: a cut stays until it is released, and only that goes") {
  store::Tail tail;
  tail.add(1, marks({{1, 10}}));
  const auto cut = tail.cut();
  tail.add(2, marks({{1, 11}}));
  CHECK(tail.cut() == cut);  // a fold that failed is done again with the same
  const std::size_t bytes = tail.bytes();
  tail.release_cut();
  CHECK(tail.bytes() == bytes - cut->bytes);
  CHECK(offsets(tail.find(1)) == std::vector<std::uint64_t>{11});
  const auto next = tail.cut();
  CHECK(next->last_seq == 2);
  tail.release_cut();
  CHECK(tail.bytes() == 0);
  CHECK(tail.cut() == nullptr);
}

TEST_CASE("tail: what was found stays valid after it is released, and while more comes") {
  store::Tail tail;
  tail.add(1, marks({{1, 10}}));
  static_cast<void>(tail.cut());
  tail.add(2, marks({{1, 11}}));
  const store::TailRecords found = tail.find(1);
  tail.release_cut();
  for (std::uint64_t seq = 3; seq < 1'000; ++seq)
    tail.add(seq, marks({{1, seq + 100}}));
  static_cast<void>(tail.cut());
  tail.release_cut();
  CHECK(offsets(found) == std::vector<std::uint64_t>{10, 11});
}

TEST_CASE("tail: rooms are found by the names that they were created with here") {
  store::Tail tail;
  tail.add(1, room_record(5, "lobby"));
  CHECK(tail.find_room("lobby") == store::RoomId{5});
  CHECK(!tail.find_room("lobb"));
  static_cast<void>(tail.cut());
  CHECK(tail.find_room("lobby") == store::RoomId{5});
  tail.release_cut();
  CHECK(!tail.find_room("lobby"));
}

}  // namespace tail_test
