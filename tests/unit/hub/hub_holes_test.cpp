// Holes in a log: who comes from before one gets everything up to it, a gap, and then the rest. The history
// here keeps 4 messages, the engine all that is not lost.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

#include "unit/hub/late_fixture.h"

namespace roomcast::hub::test {

namespace {

struct Holed : LateFixture {
  /// 20 messages, of which the last 4 are retained here, once somebody is there.
  Holed() {
    elsewhere(1, 16);
    join(first);
    settle();
    elsewhere(17, 20);
    settle();
    first.take();
  }
  /// The room is opened by the engine's answer, with what it says about holes.
  void reopen() {
    engine.lose("lobby");
    engine.resume("lobby");
    settle();
    first.take();
  }
  std::string told(std::optional<std::uint64_t> since, std::optional<std::size_t> history = {}) {
    Hearer one;
    Interest interest;
    if (since) interest.since = Position{1, *since};
    interest.history = history;
    join(one, "lobby", interest);
    settle();
    CHECK(one.is_sound);
    CHECK(one.at == Position{1, 20});
    hearers.pop_back();
    return one.take();
  }
  std::string history(std::optional<std::uint64_t> since, std::optional<std::size_t> limit = {}) {
    std::string text = "none";
    const std::optional<Position> from = since ? std::optional(Position{1, *since}) : std::nullopt;
    hub.read_history("lobby", from, limit, [&](const HistoryResult& result) {
      text = result->gap ? "gap " + std::to_string(result->gap->cursor.offset) + ":" : ":";
      for (const Message& message : result->messages)
        text += " " + std::string(message.payload.view());
      text += " at " + std::to_string(result->cursor.offset) + (result->more ? " more" : "");
    });
    settle();
    return text;
  }
  Hearer first;
};

/// A hole that the hub knows of from the beginning.
struct Known : Holed {
  Known() {
    engine.make_hole("lobby", {5, 8});
    reopen();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Known,
                  "holes: who comes from before one gets everything up to it, then a gap, then the rest") {
  CHECK(told(2) == "joined 2 / 3 4 / gap 8 / 9 10 11 12 13 14 15 16 17 18 19 20");
}

TEST_CASE_FIXTURE(Known, "holes: who comes from within one gets the gap first, who comes from its end none") {
  for (const std::uint64_t since : {4, 5, 7})
    CHECK(told(since) == "joined behind a gap 8 / 9 10 11 12 13 14 15 16 17 18 19 20");
  CHECK(told(8) == "joined 8 / 9 10 11 12 13 14 15 16 17 18 19 20");
  CHECK(told(12) == "joined 12 / 13 14 15 16 17 18 19 20");
}

TEST_CASE_FIXTURE(Known, "holes: so many of the last messages are counted without what is missing") {
  CHECK(told({}, 12) == "joined 8 / 9 10 11 12 13 14 15 16 17 18 19 20");
  CHECK(told({}, 13) == "joined 3 / 4 / gap 8 / 9 10 11 12 13 14 15 16 17 18 19 20");
  CHECK(told({}, 100) == "joined 0 / 1 2 3 4 / gap 8 / 9 10 11 12 13 14 15 16 17 18 19 20");
}

TEST_CASE_FIXTURE(Known, "holes: a question about the past ends before one, and goes on behind a gap") {
  CHECK(history(2) == ": 3 4 at 4 more");
  CHECK(history(4, 3) == "gap 8: 9 10 11 at 11 more");
  CHECK(history(6, 2) == "gap 8: 9 10 at 10 more");
  CHECK(history({}, 14) == ": 3 4 at 4 more");
  CHECK(history(16) == ": 17 18 19 20 at 20");
}

TEST_CASE_FIXTURE(Holed,
                  "holes: one that is learnt from a page is a gap for those that come to it, and no others") {
  engine.make_hole("lobby", {5, 8});
  CHECK(told(5) == "joined behind a gap 8 / 9 10 11 12 13 14 15 16 17 18 19 20");
  // Nobody else is told that what is before it is gone.
  CHECK(told(1) == "joined 1 / 2 3 4 / gap 8 / 9 10 11 12 13 14 15 16 17 18 19 20");
  CHECK(history(1) == ": 2 3 4 at 4 more");
}

TEST_CASE_FIXTURE(Holed, "holes: what is retained here is not missing, whatever the engine says") {
  engine.make_hole("lobby", {15, 18});
  reopen();
  CHECK(told(12) == "joined 12 / 13 14 / gap 16 / 17 18 19 20");
  CHECK(told(17) == "joined 17 / 18 19 20");
  CHECK(told({}, 6) == "joined 12 / 13 14 / gap 16 / 17 18 19 20");
}

TEST_CASE_FIXTURE(LateFixture, "holes: one at the end of the log is a gap for who comes back") {
  elsewhere(1, 3);
  elsewhere(4, 9);
  engine.make_hole("lobby", {4, 9});
  Hearer a;
  Interest since;
  since.since = Position{1, 3};
  join(a, "lobby", since);
  settle();
  CHECK(a.take() == "joined behind a gap 9");
  elsewhere(10, 10);
  settle();
  CHECK(a.take() == "10");
  Hearer b;
  join_for_all(b);
  settle();
  CHECK(b.take() == "joined 0 / 1 2 3 / gap 9 / 10");
}

TEST_CASE_FIXTURE(Known, "holes: several, one right after the other, are one gap") {
  engine.make_hole("lobby", {9, 9});
  engine.make_hole("lobby", {12, 13});
  reopen();
  CHECK(told(3) == "joined 3 / 4 / gap 9 / 10 11 / gap 13 / 14 15 16 17 18 19 20");
}

}  // namespace roomcast::hub::test
