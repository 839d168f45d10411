#include "hub/idempotency_keys.h"

#include <doctest/doctest.h>
#include <malloc.h>

#include <cstddef>
#include <string>

namespace idempotency_keys_test {

using namespace roomcast;
using hub::IdempotencyKeys;

namespace {

constexpr std::size_t gib = std::size_t{1} << 30U;

std::size_t allocated_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// Keys published at `now_ms`, with names of `name_bytes`.
void fill(IdempotencyKeys& keys, std::size_t count, std::size_t name_bytes, std::int64_t now_ms = 0,
          hub::Source source = 0) {
  for (std::size_t i = 0; i < count; ++i) {
    std::string name = std::to_string(10'000'000 + i) + '/' + std::to_string(source);
    name.resize(name_bytes, 'x');
    if (!keys.make_room(name.size(), now_ms)) return;
    IdempotencyKeys::Entry entry;
    entry.source = source;
    keys.age(keys.add(std::move(name), std::move(entry)), now_ms);
  }
}

/// A sanitizer's allocator does not report what it has given out.
bool can_measure() {
  IdempotencyKeys first(gib);
  fill(first, 1, 12);  // what the first hash needs is there from then on
  const std::size_t before = allocated_bytes();
  const std::string some(100'000, 'x');
  return allocated_bytes() - before >= some.size();
}

}  // namespace

TEST_CASE("idempotency keys: what they are counted as is what they take") {
  if (!can_measure()) return;
  for (const std::size_t name_bytes : {12U, 40U, 100U, 400U}) {
    CAPTURE(name_bytes);
    for (const std::size_t count : {2'000U, 10'000U, 17'000U}) {
      CAPTURE(count);
      const std::size_t before = allocated_bytes();
      IdempotencyKeys keys(gib);
      fill(keys, count, name_bytes);
      const auto taken = static_cast<double>(allocated_bytes() - before);
      const auto counted = static_cast<double>(keys.bytes());
      CHECK(keys.size() == count);
      CHECK(counted > 0.8 * taken);
      CHECK(counted < 1.25 * taken);
    }
  }
}

TEST_CASE("idempotency keys: once they are forgotten their memory is given back") {
  if (!can_measure()) return;
  IdempotencyKeys keys(gib);
  const std::size_t before = allocated_bytes();
  fill(keys, 50'000, 40);
  while (keys.forget_some(IdempotencyKeys::keep_ms)) {
  }
  CHECK(keys.size() == 0);
  CHECK(keys.bytes() == 0);
  CHECK(allocated_bytes() - before < 20'000);
}

TEST_CASE("idempotency keys: a source may have all of it while no other source needs it") {
  const std::size_t one = 40 + IdempotencyKeys::key_bytes;
  IdempotencyKeys keys(100 * one);
  fill(keys, 100, 40, 0, 1);
  CHECK(keys.size() == 100);
  // Then it gives way, down to a quarter of it, and no further.
  fill(keys, 200, 40, 1, 2);
  CHECK(keys.bytes() <= 100 * one);
  const auto kept_of = [&](hub::Source source, std::size_t count) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i) {
      std::string name = std::to_string(10'000'000 + i) + '/' + std::to_string(source);
      name.resize(40, 'x');
      if (keys.find(name, 1) != nullptr) ++kept;
    }
    return kept;
  };
  CHECK(kept_of(1, 100) >= 25);
  CHECK(kept_of(2, 200) >= 25);
  CHECK(kept_of(1, 100) + kept_of(2, 200) == 100);
  // Once it has none it is not asked for any.
  while (keys.forget_some(1 + IdempotencyKeys::keep_ms)) {
  }
  CHECK(keys.size() == 0);
  for (hub::Source source = 3; source < 13; ++source)
    fill(keys, 10, 40, 1 + IdempotencyKeys::keep_ms, source);
  CHECK_FALSE(keys.make_room(40, 1 + IdempotencyKeys::keep_ms));
}

TEST_CASE("idempotency keys: keys under way are never forgotten, also of a source with more than its share") {
  const std::size_t one = 1 + IdempotencyKeys::key_bytes;
  IdempotencyKeys keys(2 * one);
  for (const char* name : {"a", "b"}) {
    REQUIRE(keys.make_room(1, 0));
    (void)keys.add(name, {});
  }
  CHECK_FALSE(keys.make_room(1, IdempotencyKeys::keep_ms));
  CHECK(keys.find("a", IdempotencyKeys::keep_ms) != nullptr);
  CHECK_FALSE(keys.next_ms());
  keys.age(*keys.find("a", 0), 10);
  CHECK(keys.next_ms() == 10 + IdempotencyKeys::keep_ms);
}

TEST_CASE("idempotency keys: with all sources below a share the oldest goes first, if it is not young") {
  const std::size_t one = 12 + IdempotencyKeys::key_bytes;
  IdempotencyKeys keys(8 * one);
  for (hub::Source source = 1; source <= 8; ++source)
    fill(keys, 1, 12, source, source);
  CHECK(keys.size() == 8);
  CHECK_FALSE(keys.make_room(12, IdempotencyKeys::young_ms));
  CHECK(keys.make_room(12, 1 + IdempotencyKeys::young_ms));
  CHECK(keys.size() == 7);
  std::string name = "10000000/1";
  name.resize(12, 'x');
  CHECK(keys.find(name, 1 + IdempotencyKeys::young_ms) == nullptr);
}

}  // namespace idempotency_keys_test
