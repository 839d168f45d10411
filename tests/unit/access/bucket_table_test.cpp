#include "access/bucket_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/string_hash.h"

namespace bucket_table_test {

using roomcast::access::BucketTable;
using roomcast::access::Rate;

namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t now = 1'000 * ms;
constexpr std::size_t bytes_max = std::size_t{8} << 20U;
constexpr Rate rate{10, 1'000, 1'000};

std::uint64_t key_of(std::size_t number) { return roomcast::base::StringHash{}(std::to_string(number)); }

using Table = BucketTable<5>;

}  // namespace

TEST_CASE("bucket table: nothing is allocated before something is spent") {
  const Table table(bytes_max);
  CHECK(table.find(key_of(1)) == nullptr);
  CHECK(table.bytes() == 0);
}

TEST_CASE("bucket table: each client has buckets of its own") {
  Table table(bytes_max);
  table.take(key_of(1), now)[2].spend(rate, 10, now);
  table.take(key_of(2), now)[0].spend(rate, 1, now);
  CHECK(table.take(key_of(1), now)[2].wait_ns(rate, 1, now) == 100 * ms);
  CHECK((*table.find(key_of(1)))[0].is_full(now));
  CHECK((*table.find(key_of(2)))[2].is_full(now));
  CHECK(table.find(key_of(3)) == nullptr);
}

TEST_CASE("bucket table: a million addresses stay within the bound, and one that was stopped stays stopped") {
  Table table(bytes_max);
  table.take(key_of(0), now)[0].spend(rate, 10, now);
  std::size_t most = 0;
  for (std::size_t i = 1; i <= 1'000'000; ++i) {
    table.take(key_of(i), now)[0].spend(rate, 1, now);
    most = std::max(most, table.bytes());
  }
  CHECK(most <= bytes_max);
  CHECK(most > bytes_max / 2);
  CHECK(table.capacity() > 150'000);
  CHECK(table.forgotten() > 500'000);
  REQUIRE(table.find(key_of(0)) != nullptr);
  CHECK((*table.find(key_of(0)))[0].wait_ns(rate, 1, now) == 100 * ms);
}

TEST_CASE("bucket table: buckets that are full again make place without loss, and give their memory back") {
  Table table(bytes_max);
  std::int64_t later = now;
  for (std::size_t round = 0; round < 10; ++round) {
    for (std::size_t i = 0; i < 20'000; ++i)
      table.take(key_of(round * 20'000 + i), later)[1].spend(rate, 1, later);
    later += 100 * ms;
  }
  CHECK(table.forgotten() == 0);
  const std::size_t before = table.bytes();
  later += 1'000 * ms;
  // One set is looked at for each newcomer.
  for (std::size_t i = 0; i < 6'000; ++i)
    table.take(key_of(1'000'000 + i % 10), later + static_cast<std::int64_t>(i) * 200 * ms)[0].spend(
        rate, 1, later + static_cast<std::int64_t>(i) * 200 * ms);
  CHECK(table.bytes() < before);
}

TEST_CASE("bucket table: the smallest has place for one set") {
  Table table(0);
  for (std::size_t i = 0; i < 32; ++i)
    table.take(key_of(i), now)[0].spend(rate, i + 1, now);
  CHECK(table.forgotten() == 0);
  table.take(key_of(100), now)[0].spend(rate, 5, now);
  CHECK(table.forgotten() == 1);
  CHECK(table.find(key_of(0)) == nullptr);  // the one that had spent least
  CHECK(table.find(key_of(1)) != nullptr);
}

}  // namespace bucket_table_test
