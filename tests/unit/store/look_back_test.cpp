// Where a page begins that is to have the last so many messages, and what counts as one.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "unit/store/archive_fixture.h"

namespace look_back_test {

using namespace roomcast;
using Type = store::Record::Type;

namespace {

struct Fixture : test::ArchiveFixture {
  Fixture() { create(1, "a"); }
  void publish_some(std::uint64_t from, std::uint64_t to, const std::string& payload = "hi") {
    for (std::uint64_t offset = from; offset <= to; ++offset) {
      publish(1, offset, payload);
      now_ms += minute_ms;
    }
    commit();
  }
  void remove(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t offset = from; offset <= to; ++offset)
      mark(Type::removed, 1, offset);
    commit();
  }
  /// Where the page with the last `count` messages up to `before` begins.
  std::uint64_t start_of(std::size_t count, std::uint64_t before = 20) {
    const store::RecordPage page = read(1, "a", before, 1'000, plenty, count).page;
    const std::vector<Read> found = messages(page.records);
    REQUIRE(!found.empty());
    CHECK(found.front().offset == page.after + 1);
    return page.after;
  }
  /// The offsets of the first page of at most `most` messages.
  std::string page_of(std::size_t most) {
    std::string offsets;
    for (const Read& message : messages(read(1, "a", 0, most).page.records))
      offsets += std::to_string(message.offset) + (message.payload == "-" ? "- " : " ");
    return offsets;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "look back: removed messages do not count, in the tail, beside chunks and in them") {
  publish_some(1, 19);
  const auto check = [&] {
    CHECK(start_of(1, 19) == 18);
    CHECK(start_of(2, 19) == 9);
    CHECK(start_of(5, 19) == 6);
    CHECK(start_of(8, 19) == 3);
    CHECK(start_of(9, 19) == 1);
    CHECK(start_of(10, 19) == 0);
    CHECK(start_of(100, 19) == 0);
    // The last of them is in the middle.
    CHECK(start_of(1, 15) == 9);
    CHECK(start_of(1, 10) == 9);
  };
  SUBCASE("in the tail") {
    remove(3, 3);
    remove(11, 18);
    check();
  }
  SUBCASE("beside chunks, then in them") {
    fold();
    remove(3, 3);
    remove(11, 18);
    check();
    fold();
    check();
  }
}

TEST_CASE_FIXTURE(Fixture, "look back: with all that there was removed there is nothing to begin with") {
  publish_some(1, 10);
  remove(1, 10);
  fold();
  publish_some(11, 12);
  CHECK(start_of(1, 12) == 11);
  CHECK(read(1, "a", 10, 1'000, plenty, 5).page.after == 0);
}

TEST_CASE_FIXTURE(Fixture, "look back: so much is looked through, and before that places count") {
  publish_some(1, 40, std::string(60'000, 'x'));
  fold();
  remove(2, 2);
  fold();
  // 17 messages have a megabyte.
  remove(38, 38);
  fold();
  CHECK(start_of(10, 40) == 29);
  CHECK(start_of(38, 40) == 1);
}

TEST_CASE_FIXTURE(Fixture, "look back: it ends at the floor, whichever limit put it there") {
  publish_some(1, 10);
  const std::size_t record_bytes = read(1, "a", 0).page.records.size() / 10;
  SUBCASE("in the tail") {}
  SUBCASE("in chunks") { fold(); }
  constexpr std::int64_t year_ms = std::int64_t{365} * 24 * 60 * minute_ms;
  for (const hub::RoomSettings& limit :
       {test::keeping(4, plenty, year_ms), test::keeping(plenty, 4 * record_bytes, year_ms),
        test::keeping(plenty, plenty, 4 * minute_ms + 1)}) {
    rules = hub::RoomRules(limit);
    CHECK(start_of(6, 10) == 6);
    CHECK(start_of(3, 10) == 7);
    const store::RecordPage page = read(1, "a", 2).page;
    CHECK(page.floor == 6);
    CHECK(page.after == 6);
    CHECK(messages(page.records).size() == 4);
  }
}

TEST_CASE_FIXTURE(Fixture, "pages: removed messages come with them and do not count, up to a number") {
  publish_some(1, 6);
  remove(2, 3);
  remove(6, 6);
  CHECK(page_of(2) == "1 2- 3- 4 ");
  CHECK(page_of(3) == "1 2- 3- 4 5 6- ");
  publish_some(7, 700);
  remove(7, 699);
  fold();
  const std::vector<Read> found = messages(read(1, "a", 0, 10).page.records);
  CHECK(found.back().offset == 503);
}

}  // namespace look_back_test
