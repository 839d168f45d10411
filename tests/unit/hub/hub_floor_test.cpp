// The floor of an engine that keeps more than the hub, and rises without its saying so: nobody is told of a
// place from which the room can't be read any more. The history here keeps 4 messages.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unit/hub/late_fixture.h"

namespace roomcast::hub::test {

namespace {

struct Risen : LateFixture {
  /// 20 messages, of which the last 4 are retained here; the engine has the last `kept`, and has not said so.
  explicit Risen(std::size_t kept = 12) {
    elsewhere(1, 16);
    join(first);
    settle();
    elsewhere(17, 20);
    settle();
    first.take();
    engine.keep_last("lobby", kept);
  }
  std::string told(const Interest& interest) {
    Hearer one;
    join(one, "lobby", interest);
    settle();
    CHECK(one.is_sound);
    CHECK(one.at == Position{1, 20});
    hearers.pop_back();
    return one.take();
  }
  std::string told(std::optional<std::uint64_t> since, std::optional<std::size_t> history = {}) {
    Interest interest;
    if (since) interest.since = Position{1, *since};
    interest.history = history;
    return told(interest);
  }
  std::string history(std::size_t limit) {
    std::string text = "none";
    hub.read_history("lobby", {}, limit, [&](const HistoryResult& result) {
      text = result->gap ? "gap:" : ":";
      for (const Message& message : result->messages)
        text += " " + std::string(message.payload.view());
      text += " at " + std::to_string(result->cursor.offset) + (result->more ? " more" : "");
    });
    settle();
    return text;
  }
  void remove(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t offset = from; offset <= to; ++offset)
      hub.remove("lobby", {1, offset}, {});
    settle();
    first.take();
  }
  Hearer first;
};

/// It keeps all of them.
struct Kept : Risen {
  Kept() : Risen(20) {}
};

}  // namespace

TEST_CASE_FIXTURE(Risen, "floor: who comes from below it is told once, of the place where the room begins") {
  CHECK(told(2) == "joined behind a gap 8 / 9 10 11 12 13 14 15 16 17 18 19 20");
  engine.keep_last("lobby", 7);
  CHECK(told(2) == "joined behind a gap 13 / 14 15 16 17 18 19 20");
  CHECK(told(10) == "joined behind a gap 13 / 14 15 16 17 18 19 20");
  CHECK(told(13) == "joined 13 / 14 15 16 17 18 19 20");
}

TEST_CASE_FIXTURE(Risen, "floor: who asks for more of the last messages than there are gets no gap") {
  CHECK(told({}, 15) == "joined 8 / 9 10 11 12 13 14 15 16 17 18 19 20");
  engine.keep_last("lobby", 7);
  CHECK(told({}, 15) == "joined 13 / 14 15 16 17 18 19 20");
  CHECK(history(15) == ": 14 15 16 17 18 19 20 at 20");
}

TEST_CASE_FIXTURE(Risen, "floor: with a gap comes where the room begins, also for who begins later") {
  Interest interest;
  interest.since = Position{9, 1};
  interest.history = 2;
  std::optional<Gap> gap;
  struct Noting final : Subscriber {
    explicit Noting(std::optional<Gap>& gap_) : gap(gap_) {}
    void on_joined(Membership& /*membership*/, const Joined& joined) override { gap = joined.gap; }
    void deliver(Batch& /*batch*/, std::size_t /*from*/) override {}
    void on_gap(Membership& /*membership*/, const Gap& /*gap*/) override {}
    void on_refused(Membership& /*membership*/, const Refusal& /*refusal*/) override {}
    std::optional<Gap>& gap;
  } noting{gap};
  const auto membership = hub.subscribe("lobby", noting, interest);
  settle();
  REQUIRE(gap);
  CHECK(gap->cursor == Position{1, 18});
  CHECK(gap->earliest == Position{1, 8});
}

TEST_CASE_FIXTURE(Risen, "floor: a member that is overtaken is told once") {
  Hearer slow;
  slow.reads_on = false;
  engine.page_max = 2;
  join(slow, "lobby", [] {
    Interest interest;
    interest.since = Position{1, 10};
    return interest;
  }());
  settle();
  CHECK(slow.take() == "joined 10 / 11 12");
  engine.keep_last("lobby", 7);
  CHECK(told(13) == "joined 13 / 14 15 / 16 17 / 18 19 20");
  engine.keep_last("lobby", 5);
  slow.reads_on = true;
  slow.membership->continue_replay();
  settle();
  CHECK(slow.take() == "gap 15 / 16 17 / 18 19 20");
}

TEST_CASE_FIXTURE(Risen, "floor: who waits for what it begins with does not hold up the others") {
  Hearer one;
  join_for_all(one);
  turn();
  CHECK(one.take().empty());
  elsewhere(21, 21);
  turn();
  CHECK(first.take() == "21");
  settle();
  CHECK(one.take() == "joined behind a gap 8 / 9 10 11 12 13 14 15 16 17 18 19 20 21");
  CHECK(one.is_sound);
}

TEST_CASE_FIXTURE(Risen,
                  "floor: who leaves while it waits for that is forgotten, and one that is refused ends") {
  Hearer one;
  Hearer other;
  join_for_all(one);
  join_for_all(other);
  turn();
  one.membership.reset();
  engine.refuses = true;
  settle();
  CHECK(one.take().empty());
  CHECK(other.take() == "unavailable");
  CHECK(hub.subscribers("lobby") == 1);
}

TEST_CASE_FIXTURE(Kept, "looking back: removed messages do not count, neither here nor in the engine") {
  remove(10, 14);
  CHECK(told({}, 6) == "joined 14 / 15 16 17 18 19 20");
  CHECK(told({}, 7).substr(0, 12) == "joined 8 / 9");
  CHECK(history(6) == ": 15 16 17 18 19 20 at 20");
}

TEST_CASE_FIXTURE(Kept, "looking back: members that want different numbers each get their own") {
  remove(10, 14);
  std::vector<std::unique_ptr<Hearer>> some;
  for (const std::size_t count : {5U, 7U, 9U, 7U}) {
    Interest interest;
    interest.history = count;
    some.push_back(std::make_unique<Hearer>());
    join(*some.back(), "lobby", interest);
  }
  settle();
  std::string starts;
  for (const auto& one : some)
    starts += one->take().substr(0, 9) + ",";
  CHECK(starts == "joined 15,joined 8 ,joined 6 ,joined 8 ,");
  hearers.resize(1);
}

}  // namespace roomcast::hub::test
