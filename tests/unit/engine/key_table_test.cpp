// The durable engine's idempotency keys: what is known, what they take, and that they go in slices.
#include "engine/key_table.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

namespace key_table_test {

using namespace roomcast;
using engine::KeyTable;

namespace {

constexpr std::size_t plenty = std::size_t{64} << 20U;

KeyTable::Key key_of(std::uint64_t offset, std::int64_t until_ms = 0) { return {{}, offset, 1, until_ms}; }

void fill(KeyTable& table, KeyTable::OfRoom& room, std::size_t keys, std::int64_t until_ms = 0) {
  for (std::size_t i = 0; i < keys; ++i)
    REQUIRE(table.add(room, "key " + std::to_string(i), key_of(i, until_ms)));
}

}  // namespace

TEST_CASE("key table: a key belongs to its room, and the first of a text is kept") {
  KeyTable table(plenty);
  KeyTable::OfRoom a;
  KeyTable::OfRoom b;
  REQUIRE(table.add(a, "k", key_of(7)));
  REQUIRE(table.add(a, "k", key_of(8)));
  REQUIRE(table.find(a, "k", 0) != nullptr);
  CHECK(table.find(a, "k", 0)->offset == 7);
  CHECK(table.find(b, "k", 0) == nullptr);
  CHECK(table.bytes() == KeyTable::bytes_of("k"));
}

TEST_CASE("key table: what would exceed its bytes is refused") {
  KeyTable table(KeyTable::bytes_of("k") * 2);
  KeyTable::OfRoom room;
  CHECK(table.add(room, "1", key_of(1)));
  CHECK(table.add(room, "2", key_of(2)));
  CHECK(!table.has_space_for("3"));
  CHECK(!table.add(room, "3", key_of(3)));
  table.end(room, "1", 1, std::nullopt);
  CHECK(table.add(room, "3", key_of(3)));
}

TEST_CASE("key table: a key ends with its message, at once or later, and with no other one's") {
  KeyTable table(plenty);
  KeyTable::OfRoom room;
  fill(table, room, 2);
  table.end(room, "key 0", 5, std::nullopt);
  CHECK(table.size() == 2);
  table.end(room, "key 0", 0, std::nullopt);
  CHECK(table.find(room, "key 0", 0) == nullptr);
  table.end(room, "key 1", 1, 100);
  CHECK(table.find(room, "key 1", 99) != nullptr);
  CHECK(table.find(room, "key 1", 100) == nullptr);
  CHECK(table.bytes() == 0);
}

TEST_CASE("key table: the keys of a room are dropped at once and freed in slices") {
  constexpr std::size_t slices = 8;
  KeyTable table(plenty);
  KeyTable::OfRoom room;
  KeyTable::OfRoom other;
  fill(table, other, 1);
  fill(table, room, slices * KeyTable::freed_per_slice);
  const std::size_t full = table.bytes();
  table.drop(room);
  CHECK(table.bytes() == full);
  CHECK(table.find(room, "key 1", 0) == nullptr);
  REQUIRE(table.add(room, "key 1", key_of(9)));
  for (std::size_t i = 1; i <= slices; ++i) {
    const std::size_t before = table.size();
    CHECK(table.free_some(0) == (i < slices));
    CHECK(before - table.size() == KeyTable::freed_per_slice);
  }
  CHECK(table.size() == 2);
  CHECK(table.find(room, "key 1", 0)->offset == 9);
  CHECK(table.find(other, "key 0", 0) != nullptr);
}

TEST_CASE("key table: keys that are over go in slices, those that wait stay") {
  KeyTable table(plenty);
  KeyTable::OfRoom room;
  fill(table, room, 2 * KeyTable::freed_per_slice, 100);
  REQUIRE(table.add(room, "waits", key_of(9)));
  CHECK(!table.free_some(99));
  CHECK(table.free_some(100));
  CHECK(table.size() == KeyTable::freed_per_slice + 1);
  CHECK(!table.free_some(100));
  CHECK(table.size() == 1);
  CHECK(table.find(room, "waits", 1'000'000) != nullptr);
}

}  // namespace key_table_test
