// The hub over an engine that answers late, out of order, with a refusal, or not at all; and whose log may be
// lost for a while, or begin anew. The history here keeps 4 messages, the engine all.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unit/hub/late_fixture.h"

namespace roomcast::hub::test {

// --- Rooms that open ---

TEST_CASE_FIXTURE(LateFixture, "late engine: rooms open in any order, and joins are acknowledged then") {
  Hearer a;
  Hearer b;
  join(a, "attic");
  join(b, "lobby");
  turn();
  CHECK(a.told.empty());
  engine.answer("lobby");
  turn();
  CHECK(b.take() == "joined 0");
  CHECK(a.told.empty());
  engine.answer("attic");
  turn();
  CHECK(a.take() == "joined 0");
}

TEST_CASE_FIXTURE(LateFixture,
                  "late engine: a join into a room that can't be opened is refused, and may be repeated") {
  engine.refuses = true;
  Hearer a;
  join(a);
  settle();
  CHECK(a.take() == "unavailable");
  engine.refuses = false;
  join(a);
  settle();
  CHECK(a.take() == "joined 0");
  CHECK(engine.subscribes == 2);
}

TEST_CASE_FIXTURE(LateFixture,
                  "late engine: a room that never opens is given up at the deadline, not before") {
  Hearer a;
  join(a);
  engine.drop_all();
  pass(limits.engine_ms - 1);
  CHECK(a.told.empty());
  pass(300);  // it is looked at four times a second
  CHECK(a.take() == "timed_out");
  CHECK(engine.unsubscribes == 1);
  join(a);
  settle();
  CHECK(a.take() == "joined 0");
}

TEST_CASE_FIXTURE(LateFixture,
                  "late engine: a member that leaves while the room is being opened receives nothing") {
  Hearer a;
  Hearer b;
  join(a);
  join(b);
  a.membership.reset();
  settle();
  CHECK(a.told.empty());
  CHECK(b.take() == "joined 0");
}

TEST_CASE_FIXTURE(LateFixture, "late engine: a refused member that does not leave holds no other up") {
  struct Staying final : Subscriber {
    void on_joined(Membership& /*membership*/, const Joined& /*joined*/) override { ++calls; }
    void on_gap(Membership& /*membership*/, const Gap& /*gap*/) override { ++calls; }
    void on_refused(Membership& /*membership*/, const Refusal& /*refusal*/) override { ++calls; }
    void deliver(Batch& /*batch*/, std::size_t /*from*/) override { ++calls; }
    int calls = 0;
  } staying;
  engine.refuses = true;
  const auto membership = hub.subscribe("lobby", staying);
  settle();
  engine.refuses = false;
  Hearer a;
  join(a);
  settle();
  hub.publish("lobby", text("x"));
  settle();
  CHECK(a.take() == "joined 0 / x");
  CHECK(staying.calls == 1);
  CHECK_FALSE(membership->is_catching_up());
}

// --- Publishing without a subscription ---

TEST_CASE_FIXTURE(LateFixture,
                  "late engine: one that takes it is handed a publish without the room being opened") {
  engine.takes_unsubscribed = true;
  std::optional<Receipt> receipt;
  hub.publish("lobby", text("x"), [&](const PublishResult& result) { receipt = *result; });
  settle();
  CHECK(hub.rooms() == 0);
  CHECK(engine.subscribes == 0);
  REQUIRE(receipt);
  CHECK(receipt->position == Position{1, 1});
  CHECK(receipt->subscribers == 0);
  Hearer a;
  join_for_all(a);
  settle();
  CHECK(a.take() == "joined 0 / x");
}

TEST_CASE_FIXTURE(LateFixture, "late engine: one that does not take it has the room opened first") {
  hub.publish("lobby", text("x"));
  CHECK(hub.rooms() == 1);
  CHECK(engine.subscribes == 1);
}

TEST_CASE_FIXTURE(LateFixture,
                  "late engine: without a subscription a publish has its deadline, and its refusal") {
  engine.takes_unsubscribed = true;
  std::string outcome;
  const auto note = [&](const PublishResult& result) {
    outcome = result ? "published" : std::string(describe(result.error().code).name);
  };
  hub.publish("lobby", text("x"), note);
  engine.drop_all();
  pass(limits.engine_ms + 300);
  CHECK(outcome == "timed_out");
  engine.refuses = true;
  hub.publish("lobby", text("x"), note);
  settle();
  CHECK(outcome == "unavailable");
}

TEST_CASE_FIXTURE(LateFixture, "late engine: with members the room is published into as ever") {
  engine.takes_unsubscribed = true;
  Hearer a;
  join(a);
  settle();
  CHECK(a.take() == "joined 0");
  hub.publish("lobby", text("x"));
  settle();
  CHECK(a.take() == "x");
}

TEST_CASE_FIXTURE(LateFixture, "late engine: while the hub is congested a publish waits, subscribed or not") {
  engine.takes_unsubscribed = true;
  hub.set_overloaded(true);
  hub.publish("lobby", text("x"), {}, Hub::WhenShort::wait);
  CHECK(hub.delayed() == 1);
  hub.set_overloaded(false);
  settle();
  CHECK(hub.delayed() == 0);
  CHECK(engine.top("lobby").offset == 1);
}

// --- Amendments of rooms that are not open ---

TEST_CASE_FIXTURE(LateFixture, "late engine: one that keeps rooms has a room opened that is to be amended") {
  engine.keeps_unsubscribed = true;
  Hearer a;
  join(a);
  hub.publish("lobby", text("x"));
  hub.publish("attic", text("y"));
  settle();
  std::string outcomes;
  const auto note = [&](const PublishResult& result) {
    outcomes += (result ? "done" : std::string(describe(result.error().code).name)) + " ";
  };
  // As after a restart, when nobody has come yet.
  engine.publish("cellar", text("z"), 0);
  engine.answer();
  hub.remove("cellar", {1, 1}, note);
  hub.clear("cellar", note);
  CHECK(engine.subscribes == 3);
  CHECK(outcomes.empty());
  settle();
  CHECK(outcomes == "done done ");
}

TEST_CASE_FIXTURE(LateFixture, "late engine: with no space for a room there is none that could be amended") {
  engine.keeps_unsubscribed = true;
  HubLimits small = limits;
  small.room_bytes = 1;
  hub.set_limits(small);
  std::string outcome;
  hub.remove("cellar", {1, 1},
             [&](const PublishResult& result) { outcome = std::string(describe(result.error().code).name); });
  settle();
  CHECK(outcome == "overloaded");
  CHECK(engine.subscribes == 0);
}

// --- Publishes ---

TEST_CASE_FIXTURE(LateFixture, "late engine: a refused publish has its own code, not that of an overload") {
  std::vector<std::string> codes;
  const auto note = [&](const PublishResult& result) {
    codes.emplace_back(result ? "ok" : std::string(describe(result.error().code).name));
  };
  engine.refuses = true;
  hub.publish("lobby", text("x"), note);
  settle();
  engine.refusal = {Refusal::Code::timed_out, "late"};
  hub.publish("lobby", text("x"), note);
  settle();
  CHECK(codes == Words{"unavailable", "timed_out"});
}

TEST_CASE_FIXTURE(
    LateFixture, "late engine: a publish without an answer ends at the deadline, an answer then is ignored") {
  std::vector<std::string> codes;
  hub.publish("lobby", text("x"), [&](const PublishResult& result) {
    codes.emplace_back(result ? "ok" : std::string(describe(result.error().code).name));
  });
  pass(limits.engine_ms - 1);
  CHECK(codes.empty());
  pass(300);
  CHECK(codes == Words{"timed_out"});
  settle();
  CHECK(codes.size() == 1);
}

TEST_CASE_FIXTURE(LateFixture,
                  "late engine: one publish that is never answered does not end those that are") {
  int done = 0;
  hub.publish("lobby", text("lost"), [&](const PublishResult& /*result*/) { ++done; });
  engine.drop_all();
  engine.events().on_subscribed("lobby", LogState({1, 0}, 0));
  for (int i = 0; i < 1'000; ++i) {
    hub.publish("lobby", text("x"), [&](const PublishResult& result) { done += result ? 1'000 : 1; });
    engine.answer();
    turn();
  }
  pass(limits.engine_ms + 300);
  CHECK(done == 1'000'001);
}

// --- Messages that do not follow each other ---

TEST_CASE_FIXTURE(LateFixture, "late engine: a message that comes once more is left out") {
  Hearer a;
  join(a);
  settle();
  elsewhere(1, 2);
  engine.events().on_message("lobby", {Kind::text, base::Bytes::copy_of("1"), {}, 0, {1, 1}, 0});
  settle();
  CHECK(a.take() == "joined 0 / 1 2");
  CHECK(hub.stats().repeated == 1);
}

TEST_CASE_FIXTURE(LateFixture, "late engine: a hole that it does not mention is filled from its past") {
  Hearer a;
  join(a);
  settle();
  elsewhere(1, 1);
  settle();
  engine.lose("lobby");
  elsewhere(2, 4);
  // It forgets to say so, and goes on.
  engine.events().on_message("lobby", {Kind::text, base::Bytes::copy_of("4"), {}, 0, {1, 4}, 0});
  // What the link says then is nothing new.
  settle();
  engine.resume("lobby");
  settle();
  CHECK(a.is_sound);
  CHECK(a.at == Position{1, 4});
  CHECK(hub.stats().lost == 2);
}

TEST_CASE_FIXTURE(LateFixture, "late engine: a hole is a gap where there is no past to fill it") {
  engine.has_past = false;
  Hearer a;
  join(a);
  settle();
  engine.events().on_message("lobby", {Kind::text, base::Bytes::copy_of("5"), {}, 0, {1, 5}, 0});
  settle();
  CHECK(a.take() == "joined 0 / behind / gap 4 / 5");
}

TEST_CASE_FIXTURE(LateFixture, "late engine: a link that comes back with nothing missed is not noticed") {
  Hearer a;
  join(a);
  settle();
  elsewhere(1, 1);
  engine.lose("lobby");
  turn();
  engine.resume("lobby");
  elsewhere(2, 2);
  settle();
  CHECK(a.take() == "joined 0 / 1 / 2");
  CHECK(hub.stats().gaps == 0);
}

TEST_CASE_FIXTURE(LateFixture,
                  "late engine: what was missed is read and handed out before what follows, without a gap") {
  Hearer a;
  Hearer b;
  join(a);
  join(b);
  settle();
  elsewhere(1, 1);
  settle();
  engine.lose("lobby");
  elsewhere(2, 9);
  engine.resume("lobby");
  elsewhere(10, 10);
  settle();
  CHECK(a.take() == "joined 0 / 1 / behind / 2 3 4 5 6 7 8 9 10");
  CHECK(b.at == Position{1, 10});
  CHECK(b.is_sound);
  CHECK(engine.reads == 1);  // shared by both
  CHECK(hub.stats().gaps == 0);
}

TEST_CASE_FIXTURE(LateFixture,
                  "late engine: a join while the link is down waits, at most until the deadline") {
  Hearer a;
  Hearer b;
  Hearer c;
  join(a);
  settle();
  engine.lose("lobby");
  join(b);
  settle();
  CHECK(b.told.empty());
  SUBCASE("it comes back") {
    engine.resume("lobby");
    settle();
    CHECK(b.take() == "joined 0");
  }
  SUBCASE("it does not") {
    pass(limits.engine_ms + 300);
    CHECK(b.take() == "timed_out");
    CHECK(a.take() == "joined 0");  // earlier members stay
    CHECK(engine.unsubscribes == 0);
    join(c);
    engine.resume("lobby");
    settle();
    CHECK(c.take() == "joined 0");
  }
}

TEST_CASE_FIXTURE(LateFixture, "late engine: a log that begins anew is a gap, after what came before it") {
  Hearer a;
  join(a);
  settle();
  elsewhere(1, 2);
  engine.reset("lobby");
  elsewhere(1, 1);
  settle();
  CHECK(a.take() == "joined 0 / 1 2 / behind / gap 0 / 1");
  CHECK(a.at == Position{2, 1});
  Hearer b;
  join(b, "lobby", {Position{1, 2}, {}});  // a cursor of the old log
  settle();
  CHECK(b.take() == "joined behind a gap 0 / 1");
}

TEST_CASE_FIXTURE(LateFixture, "late engine: of two new logs in one turn only the last counts") {
  Hearer a;
  join(a);
  settle();
  elsewhere(1, 1);
  engine.reset("lobby");
  elsewhere(1, 3);
  engine.reset("lobby");
  elsewhere(1, 1);
  settle();
  CHECK(a.at == Position{3, 1});
  CHECK(a.is_sound);
  CHECK(hub.backlog_bytes() == 0);
}

TEST_CASE_FIXTURE(LateFixture, "late engine: a log that begins anew during a fan-out of the last messages") {
  std::vector<std::unique_ptr<Hearer>> crowd;
  for (int i = 0; i < 300; ++i)
    join(*crowd.emplace_back(std::make_unique<Hearer>()));
  settle();
  elsewhere(1, 1);
  hub.do_slice();  // some have it
  engine.reset("lobby");
  elsewhere(1, 1);
  settle();
  for (const auto& one : crowd) {
    CHECK(one->take() == "joined 0 / 1 / behind / gap 0 / 1");
    CHECK(one->is_sound);
  }
  CHECK(hub.backlog_bytes() == 0);
}

// --- The past ---

TEST_CASE_FIXTURE(LateFixture,
                  "late engine: what is no longer kept here is read, in pages, one for all that need it") {
  elsewhere(1, 20);
  engine.page_max = 8;
  Hearer a;
  Hearer b;
  join_for_all(a);
  join_for_all(b);
  settle();
  CHECK(a.take() == "joined 0 / 1 2 3 4 5 6 7 8 / 9 10 11 12 13 14 15 16 / 17 18 19 20");
  CHECK(b.at == Position{1, 20});
  CHECK(engine.reads == 3);
  elsewhere(21, 21);
  settle();
  CHECK(a.take() == "21");
}

TEST_CASE_FIXTURE(LateFixture, "late engine: what is kept here is not read") {
  Hearer first;
  join(first);
  settle();
  elsewhere(1, 9);
  settle();
  Hearer a;
  Interest some;
  some.since = Position{1, 5};
  join(a, "lobby", some);
  settle();
  CHECK(a.take() == "joined 5 / 6 7 8 9");
  CHECK(engine.reads == 0);
}

TEST_CASE_FIXTURE(LateFixture,
                  "late engine: so many of the last messages may reach behind what is kept here") {
  Hearer first;
  join(first);
  settle();
  elsewhere(1, 9);
  settle();
  Hearer a;
  Interest last;
  last.history = 6;
  join(a, "lobby", last);
  settle();
  CHECK(a.take() == "joined 3 / 4 5 6 7 8 9");
  Hearer b;
  last.history = 100;
  join(b, "lobby", last);
  settle();
  CHECK(b.take() == "joined 0 / 1 2 3 4 5 6 7 8 9");
}

TEST_CASE_FIXTURE(
    LateFixture, "late engine: a page that is refused, or never comes, ends the membership with the reason") {
  elsewhere(1, 20);
  Hearer a;
  join_for_all(a);
  engine.answer();
  turn();
  CHECK(engine.reads == 1);
  SUBCASE("refused") {
    engine.refuses = true;
    settle();
    CHECK(a.take() == "unavailable");
  }
  SUBCASE("never") {
    engine.drop_all();
    pass(limits.engine_ms + 300);
    turn();
    CHECK(a.take() == "timed_out");
  }
  engine.refuses = false;
  join_for_all(a);
  settle();
  CHECK(a.at == Position{1, 20});
}

TEST_CASE_FIXTURE(LateFixture, "late engine: what the engine has dropped meanwhile is a gap") {
  elsewhere(1, 20);
  Hearer a;
  join_for_all(a);
  engine.answer();
  turn();
  engine.keep_last("lobby", 10);
  settle();
  CHECK(a.take() == "joined behind a gap 10 / 11 12 13 14 15 16 17 18 19 20");
}

TEST_CASE_FIXTURE(LateFixture, "late engine: a page that leaves something out is cut where that begins") {
  elsewhere(1, 6);
  Hearer a;
  join_for_all(a);
  engine.answer();
  turn();
  engine.drop_all();
  engine.events().on_page(1, page_of({1, 2, 4}));
  settle();
  CHECK(a.is_sound);
  CHECK(a.at == Position{1, 6});
}

TEST_CASE_FIXTURE(LateFixture,
                  "late engine: at most 16 pages are read at a time, and every room has its turn") {
  std::vector<std::unique_ptr<Hearer>> crowd;
  for (int i = 0; i < 40; ++i) {
    const std::string room = "room " + std::to_string(i);
    elsewhere(1, 10, room);
    join_for_all(*crowd.emplace_back(std::make_unique<Hearer>()), room);
  }
  engine.answer();
  turn();
  CHECK(engine.reads == 16);
  settle();
  CHECK(engine.reads == 40);
  for (const auto& one : crowd)
    CHECK(one->at == Position{1, 10});
}

TEST_CASE_FIXTURE(LateFixture, "late engine: a question about the past is answered out of both") {
  elsewhere(1, 9);
  Hearer first;
  join(first);
  settle();
  elsewhere(10, 12);
  settle();
  std::optional<base::Result<HistoryPage, Refusal>> told;
  const auto ask = [&](const std::optional<Position>& since, const std::optional<std::size_t>& limit) {
    told.reset();
    hub.read_history("lobby", since, limit, [&](const auto& result) { told.emplace(result); });
  };
  ask(Position{1, 9}, {});
  REQUIRE(told);
  CHECK((*told)->messages.size() == 3);
  ask(Position{1, 2}, 4);
  CHECK_FALSE(told);
  settle();
  REQUIRE(told);
  REQUIRE((*told)->messages.size() == 4);
  CHECK((*told)->messages[0].payload.view() == "3");
  CHECK((*told)->cursor == Position{1, 6});
  CHECK((*told)->more);
  engine.keep_last("lobby", 5);
  ask(Position{1, 2}, 4);
  settle();
  REQUIRE(told);
  REQUIRE((*told)->gap);
  CHECK((*told)->gap->cursor == Position{1, 7});
  CHECK((*told)->messages[0].payload.view() == "8");
  ask(Position{1, 8}, {});
  engine.refuses = true;
  settle();
  REQUIRE(told);
  CHECK_FALSE(told->ok());
  engine.refuses = false;
  ask(Position{1, 8}, {});
  engine.drop_all();
  pass(limits.engine_ms + 300);
  REQUIRE(told);
  CHECK(told->error().code == Refusal::Code::timed_out);
}

TEST_CASE_FIXTURE(LateFixture, "late engine: what a page knows before it is announced comes once") {
  elsewhere(1, 6);
  Hearer a;
  join_for_all(a);
  engine.answer();
  turn();
  engine.drop_all();
  engine.events().on_page(1, page_of({1, 2, 3, 4, 5, 6, 7}));
  settle();
  CHECK(a.take() == "joined 0 / 1 2 3 4 5 6");
  elsewhere(7, 8);
  settle();
  CHECK(a.take() == "7 8");
  CHECK(a.is_sound);
}

// --- Logs that go on in another epoch ---

TEST_CASE_FIXTURE(LateFixture,
                  "late engine: nobody notices that a log goes on in another epoch with all it had") {
  Hearer live;
  Hearer late;
  join_for_all(live);
  elsewhere(1, 3);
  settle();
  CHECK(live.take() == "joined 0 / 1 2 3");
  engine.fork("lobby", 0);
  elsewhere(4, 5);
  settle();
  CHECK(live.take() == "4 5");
  // A cursor from before is as good as one from after.
  join_for_all(late);
  settle();
  CHECK(late.take() == "joined 0 / 1 2 3 4 5");
  CHECK(hub.stats().gaps == 0);
}

TEST_CASE_FIXTURE(LateFixture, "late engine: only who has got what a log has lost is told of a gap") {
  Hearer ahead;
  Hearer behind;
  join_for_all(ahead);
  elsewhere(1, 3);
  settle();
  CHECK(ahead.take() == "joined 0 / 1 2 3");
  join_for_all(behind);
  engine.answer();
  engine.lose("lobby");
  engine.fork("lobby", 2);
  engine.append("lobby", text("B"));
  engine.append("lobby", text("C"));
  engine.resume("lobby");
  settle();
  CHECK(ahead.take() == "behind / gap 1 / B C");
  CHECK(behind.take() == "joined 0 / 1 B C");
  CHECK(hub.stats().gaps == 1);
}

// --- Rooms that lag behind their logs ---

TEST_CASE_FIXTURE(LateFixture, "late engine: who comes from a server that is ahead is told of no gap") {
  engine.lags = true;
  Hearer live;
  join_for_all(live);
  elsewhere(1, 2);
  settle();
  CHECK(live.take() == "joined 0 / 1 2");
  engine.fall_behind("lobby");
  elsewhere(3, 5);
  Hearer roaming;
  Interest interest;
  interest.since = Position{1, 4};
  join(roaming, "lobby", interest);
  turn();
  CHECK(roaming.told.empty());
  settle();
  CHECK(roaming.take() == "joined 4 / 5");
  CHECK(live.take() == "behind / 3 4 5");
  CHECK(hub.stats().gaps == 0);
  // A position that the log itself does not have is asked for once.
  Hearer strange;
  interest.since = Position{9, 4};
  join(strange, "lobby", interest);
  settle();
  CHECK(strange.take() == "joined behind a gap 0 / 1 2 3 4 5");
  CHECK(engine.confirms == 2);
}

TEST_CASE_FIXTURE(LateFixture, "late engine: a question for history waits for a room that lags") {
  engine.lags = true;
  Hearer live;
  join_for_all(live);
  elsewhere(1, 2);
  settle();
  engine.fall_behind("lobby");
  elsewhere(3, 5);
  std::optional<HistoryResult> answer;
  hub.read_history("lobby", Position{1, 4}, std::nullopt,
                   [&](const HistoryResult& result) { answer = result; });
  CHECK_FALSE(answer);
  settle();
  REQUIRE(answer);
  REQUIRE(answer->ok());
  CHECK_FALSE((*answer)->gap);
  CHECK((*answer)->messages.size() == 1);
}

TEST_CASE_FIXTURE(LateFixture,
                  "late engine: a room that can't be confirmed refuses who waits for it, in time") {
  engine.lags = true;
  Hearer live;
  join_for_all(live);
  elsewhere(1, 2);
  settle();
  CHECK(live.take() == "joined 0 / 1 2");
  Hearer roaming;
  Interest interest;
  interest.since = Position{1, 4};
  join(roaming, "lobby", interest);
  engine.drop_all();
  pass(limits.engine_ms + 300);
  CHECK(roaming.take() == "timed_out");
  elsewhere(3, 3);
  settle();
  CHECK(live.take() == "3");
}

}  // namespace roomcast::hub::test
