#include "hub/history.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace history_test {

using namespace roomcast;

namespace {

constexpr std::size_t plenty = 1'000'000'000;

hub::Message message(std::uint64_t offset, std::string_view payload = "x", std::string_view from = {}) {
  return {hub::Kind::text, base::Bytes::copy_of(payload), hub::Author(from), 0, {7, offset}, 0};
}

struct Fixture {
  hub::KeptBytes kept_bytes;
  hub::History history{kept_bytes};
  hub::HistoryLimits limits{100, plenty, 1'000};

  void append(std::uint64_t offset, std::int64_t now_ms = 0, std::string_view payload = "x") {
    history.append(message(offset, payload), now_ms, limits);
  }
  [[nodiscard]] std::vector<std::uint64_t> offsets() const {
    std::vector<std::uint64_t> out;
    for (std::size_t i = 0; i < history.size(); ++i)
      out.push_back(history[i].position.offset);
    return out;
  }
};

using Offsets = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE_FIXTURE(Fixture, "history: the last so many messages are kept, in their order") {
  limits.messages = 3;
  for (std::uint64_t offset = 1; offset <= 3; ++offset)
    append(offset);
  CHECK(offsets() == Offsets{1, 2, 3});
  append(4);
  CHECK(offsets() == Offsets{2, 3, 4});
}

TEST_CASE_FIXTURE(Fixture, "history: a number that grows or shrinks later counts from the next message on") {
  limits.messages = 9;
  for (std::uint64_t offset = 1; offset <= 20; ++offset)
    append(offset);
  limits.messages = 3;
  append(21);
  CHECK(offsets() == Offsets{19, 20, 21});
  limits.messages = 5;
  for (std::uint64_t offset = 22; offset <= 40; ++offset)
    append(offset);
  CHECK(offsets() == Offsets{36, 37, 38, 39, 40});
}

TEST_CASE_FIXTURE(Fixture, "history: with no messages to keep it keeps none and takes nothing") {
  append(1);
  limits.messages = 0;
  append(2);
  CHECK(history.empty());
  CHECK(history.bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "history: bytes bound it at the bound and one past it") {
  append(1, 0, std::string(100, 'a'));
  const std::size_t one = history.bytes();
  CHECK(one > 100);
  limits.bytes = 2 * one;
  append(2, 0, std::string(100, 'a'));
  CHECK(offsets() == Offsets{1, 2});
  CHECK(history.bytes() == limits.bytes);
  append(3, 0, "");
  CHECK(offsets() == Offsets{2, 3});
  limits.bytes = 2 * one - 1;
  append(4, 0, std::string(100, 'a'));
  CHECK(offsets() == Offsets{3, 4});
}

TEST_CASE_FIXTURE(
    Fixture, "history: a message that alone is past the bytes leaves nothing, so nothing is out of order") {
  append(1, 0, std::string(100, 'a'));
  limits.bytes = history.bytes();
  append(2, 0, std::string(101, 'a'));
  CHECK(history.empty());
  CHECK(history.bytes() == 0);
  append(3, 0, std::string(100, 'a'));
  CHECK(offsets() == Offsets{3});
}

TEST_CASE_FIXTURE(Fixture,
                  "history: a message is dropped when it is as old as it may get, not a millisecond before") {
  append(1, 5'000);
  append(2, 5'001);
  history.trim(5'999, limits);
  CHECK(offsets() == Offsets{1, 2});
  CHECK(history.oldest_ms() == 5'000);
  history.trim(6'000, limits);
  CHECK(offsets() == Offsets{2});
  CHECK(history.oldest_ms() == 5'001);
  append(3, 6'001);
  CHECK(offsets() == Offsets{3});
}

TEST_CASE_FIXTURE(Fixture, "history: lowered limits take effect at a trim") {
  for (std::uint64_t offset = 1; offset <= 10; ++offset)
    append(offset, static_cast<std::int64_t>(offset));
  const std::size_t one = history.bytes() / 10;
  limits.messages = 8;
  history.trim(10, limits);
  CHECK(offsets() == Offsets{3, 4, 5, 6, 7, 8, 9, 10});
  limits.bytes = 5 * one;
  history.trim(10, limits);
  CHECK(offsets() == Offsets{6, 7, 8, 9, 10});
  limits.age_ms = 3;
  history.trim(10, limits);
  CHECK(offsets() == Offsets{8, 9, 10});
  limits.messages = 0;
  history.trim(10, limits);
  CHECK(history.empty());
  CHECK(history.bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "history: the first after an offset is found at every boundary, holes included") {
  CHECK(history.first_after(0) == 0);
  // Wrapped around in its ring: kept are 40, 42, 44 … 60.
  limits.messages = 11;
  for (std::uint64_t offset = 2; offset <= 60; offset += 2)
    append(offset);
  REQUIRE(history.size() == 11);
  for (std::uint64_t offset = 0; offset < 70; ++offset) {
    std::size_t expected = 0;
    while (expected < history.size() && history[expected].position.offset <= offset)
      ++expected;
    CHECK(history.first_after(offset) == expected);
  }
  CHECK(history.first_after(~std::uint64_t{0}) == 11);
}

TEST_CASE_FIXTURE(Fixture,
                  "history: what it takes is the sum of what its messages take, whatever the way they went") {
  history.append(message(1, "abc", "ada"), 0, limits);
  const std::size_t named = history.bytes();
  history.drop_oldest();
  CHECK(history.bytes() == 0);
  append(2, 0, "abc");
  const std::size_t unnamed = history.bytes();
  CHECK(named > unnamed + 3);
  append(3, 0, "abcdefgh");
  CHECK(history.bytes() == 2 * unnamed + 5);
  history.drop_oldest();
  CHECK(history.bytes() == unnamed + 5);
  history.trim(1'000, limits);
  CHECK(history.bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "history: it lets go of what it drops") {
  const hub::Message kept = message(1, "payload");
  history.append(kept, 0, limits);
  CHECK(kept.payload.use_count() == 2);
  history.drop_oldest();
  CHECK(kept.payload.use_count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "history: it grows and shrinks without losing or swapping a message") {
  limits.messages = 1'000;
  std::uint64_t newest = 0;
  std::uint64_t oldest = 1;
  const auto check = [&] {
    REQUIRE(history.size() == newest + 1 - oldest);
    for (std::size_t i = 0; i < history.size(); ++i)
      REQUIRE(history[i].position.offset == oldest + i);
  };
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 10 * round; ++i)
      append(++newest);
    check();
    for (int i = 0; i < 8 * round; ++i, ++oldest)
      history.drop_oldest();
    check();
  }
  while (!history.empty())
    history.drop_oldest();
  CHECK(history.bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "history: event name and tags count, and are let go of") {
  append(1);
  const std::size_t plain = history.bytes();
  history.clear();
  hub::Message labelled = message(1);
  labelled.labels = hub::Labels("event", {{"key", std::string(500, 'v')}});
  history.append(labelled, 0, limits);
  CHECK(history.bytes() == plain + labelled.labels.held_bytes());
  CHECK(kept_bytes.total() == history.bytes());
  history.drop_oldest();
  CHECK(history.bytes() == 0);
  CHECK(kept_bytes.total() == 0);
}

}  // namespace history_test
