#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "unit/transport/poll_fixture.h"

namespace poll_test {

using namespace roomcast;
using namespace roomcast::transport;
using namespace roomcast::transport::test;
using roomcast::test::ExchangeDouble;

TEST_CASE("poll: a wait is seconds, whole or with decimals, and nothing else") {
  CHECK(parse_wait("0") == 0);
  CHECK(parse_wait("30") == 30'000);
  CHECK(parse_wait("007") == 7'000);
  CHECK(parse_wait("0.5") == 500);
  CHECK(parse_wait("1.25") == 1'250);
  CHECK(parse_wait("1.0019") == 1'001);
  CHECK(parse_wait("999999999999999.999") == 999'999'999'999'999'999);
  CHECK(parse_wait("1000000000000000") == std::numeric_limits<std::int64_t>::max());
  CHECK(parse_wait("000999999999999999") == 999'999'999'999'999'000);
  CHECK(parse_wait(std::string(1'000, '9')) == std::numeric_limits<std::int64_t>::max());
  for (const char* text :
       {"", ".", ".5", "5.", "-1", "+1", " 1", "1 ", "1e3", "0x1", "1,5", "1.5.5", "1.-5", "x"})
    CHECK_FALSE(parse_wait(text).has_value());
}

TEST_CASE_FIXTURE(PollFixture,
                  "poll: without a wait it is answered in the same turn, with where the room stands") {
  publish("1");
  turn();
  const auto& exchange = ask("");
  CHECK(exchange.deferred());
  CHECK_FALSE(exchange.watched());
  CHECK(answers.all.empty());  // not from within the request
  turn();
  REQUIRE(answers.all.size() == 1);
  const http::Response& response = answers.all[0];
  CHECK(response.status == 200);
  CHECK(response.body.view() == R"({"room":"lobby","cursor":"0000000000000001-1","gap":null,"messages":[]})"
                                "\n");
  CHECK(response.headers.get("Content-Type") == "application/json");
  CHECK(response.headers.get("Cache-Control") == "no-store");
  CHECK(response.headers.joined("Vary").find("Accept, Accept-Encoding") == 0);
  CHECK(response.headers.get("Roomcast-Subscribers") == "0");  // it does not count itself
  CHECK(polls.size() == 0);
  CHECK(hub.subscribers("lobby") == 0);
}

TEST_CASE_FIXTURE(PollFixture, "poll: what came after the cursor is a list of message objects") {
  publish("1");
  publish("2");
  publish("3");
  turn();
  ask("?since=" + cursor(1));
  turn();
  REQUIRE(answers.all.size() == 1);
  const std::string body(answers.all[0].body.view());
  const std::string front = R"({"room":"lobby","cursor":")" + cursor(3) + R"(","gap":null,"messages":[)";
  CHECK(body.find(front + R"({"type":"message","room":"lobby","cursor":")" + cursor(2)) == 0);
  CHECK(body.find(R"(,,)") == std::string::npos);
  CHECK(body.substr(body.size() - 4) == "}]}\n");
  CHECK(heard() == Words{"2 3 " + cursor(3)});
  ask("?history=2");
  ask("?since=" + cursor(3));
  turn();
  CHECK(heard().size() == 2);
}

TEST_CASE_FIXTURE(PollFixture,
                  "poll: one that waits is answered at the end of the turn, with all of that turn") {
  auto& exchange = ask("?wait=30");
  CHECK(exchange.watched());
  turn();
  CHECK(answers.all.empty());
  CHECK(polls.size() == 1);
  CHECK(hub.subscribers("lobby") == 1);
  publish("1");
  publish("2");
  CHECK(answers.all.empty());
  turn();
  CHECK(heard() == Words{"1 2 " + cursor(2)});
  CHECK(polls.size() == 0);
  CHECK(hub.subscribers("lobby") == 0);
  publish("3");
  pass(30'000);
  CHECK(answers.all.empty());  // once
}

TEST_CASE_FIXTURE(PollFixture, "poll: what comes in several pieces of one turn goes into one answer") {
  ask("?wait=30");
  turn();
  publish("1");
  (void)hub.do_slice();
  publish("2");
  (void)hub.do_slice();
  turn();
  CHECK(heard() == Words{"1 2 " + cursor(2)});
}

TEST_CASE_FIXTURE(PollFixture,
                  "poll: what is put together for one client alone is short; the rest is for its next poll") {
  ask("?wait=30");
  turn();
  publish(std::string(3'000, '1'));
  (void)hub.do_slice();
  publish(std::string(3'000, '2'));
  (void)hub.do_slice();
  publish("3");
  (void)hub.do_slice();
  turn();
  // Not even what would fit: nothing is left out in between.
  CHECK(heard() == Words{std::string(3'000, '1') + " " + cursor(1)});
  ask("?wait=30&since=" + cursor(1));
  turn();
  CHECK(heard() == Words{std::string(3'000, '2') + " 3 " + cursor(3)});
}

TEST_CASE_FIXTURE(PollFixture,
                  "poll: long items are nobody's own: everybody's answer refers to the same bytes") {
  const int clients = 100;
  for (int i = 0; i < clients; ++i)
    ask("?wait=30");
  turn();
  publish(std::string(50'000, 'x'));
  (void)hub.do_slice();
  // It waits behind the short ones; what comes meanwhile does not make it longer.
  publish(std::string(50'000, 'y'));
  (void)hub.do_slice();
  turn();
  REQUIRE(answers.all.size() == clients);
  for (const http::Response& response : answers.all) {
    CHECK(response.body.view().data() == answers.all.front().body.view().data());
    CHECK(response.before_body.size() + response.behind_body.size() < 200);
    CHECK(response.headers.get("Roomcast-Cursor") == cursor(1));
  }
}

TEST_CASE_FIXTURE(PollFixture, "poll: long answers wait behind short ones, but no more than 16 MiB of them") {
  constexpr int rooms = 300;
  for (int i = 0; i < rooms; ++i)
    ask("?wait=30", "room" + std::to_string(i));
  turn();
  for (int i = 0; i < rooms; ++i)
    publish(std::string(100'000, 'x'), "room" + std::to_string(i));
  while (hub.do_slice()) {
  }
  CHECK(scheduler.deferred() == 167);
  scheduler.flush();
  CHECK(answers.all.size() == rooms - 167);
  turn();
  CHECK(answers.all.size() == rooms);
  CHECK(polls.size() == 0);
}

TEST_CASE_FIXTURE(PollFixture, "poll: one that waits but has missed something is answered at once") {
  publish("1");
  publish("2");
  turn();
  ask("?wait=30&since=" + cursor(1));
  turn();
  CHECK(heard() == Words{"2 " + cursor(2)});
  ask("?wait=30&since=" + cursor(2));
  turn();
  CHECK(answers.all.empty());
  publish("3");
  turn();
  CHECK(heard() == Words{"3 " + cursor(3)});
}

TEST_CASE_FIXTURE(PollFixture, "poll: when the wait is over the list is empty, and the cursor still good") {
  publish("1");
  turn();
  ask("?wait=1.5");
  turn();
  pass(1'499);
  CHECK(answers.all.empty());
  pass(1);
  CHECK(heard() == Words{cursor(1)});
  CHECK(polls.size() == 0);
  CHECK(hub.subscribers("lobby") == 0);
}

TEST_CASE_FIXTURE(PollFixture, "poll: a longer wait than the server's is cut down to that") {
  polls.set_settings({2'000, true});
  ask("?wait=2.001");
  ask("?wait=" + std::string(40, '9'));
  turn();
  pass(1'999);
  CHECK(answers.all.empty());
  pass(1);
  CHECK(answers.all.size() == 2);
}

TEST_CASE_FIXTURE(PollFixture, "poll: a gap is told at once, with what is kept") {
  ask("?wait=30&since=" + no_log);
  turn();
  REQUIRE(answers.all.size() == 1);
  CHECK(answers.all[0].body.view() == R"({"room":"lobby","cursor":"0000000000000001-0","gap":{"cursor":")" +
                                          cursor(0) + R"(","earliest":")" + cursor(0) +
                                          R"("},"messages":[]})"
                                          "\n");
  CHECK(heard() == Words{"gap " + cursor(0)});
  publish("1");
  publish("2");
  turn();
  ask("?wait=30&since=" + no_log);
  ask("?since=" + no_log + "&history=1");
  turn();
  CHECK(heard() == Words{"1 2 gap " + cursor(2), "2 gap " + cursor(2)});
}

TEST_CASE_FIXTURE(PollFixture, "poll: one that waits is answered when the room's log begins anew") {
  publish("1");
  turn();
  ask("?wait=30");
  turn();
  CHECK(answers.all.empty());
  engine.events().on_lost("lobby");
  engine.events().on_resumed("lobby", hub::LogState({2, 0}));
  turn();
  CHECK(heard() == Words{"gap " + hub::to_cursor({2, 0})});
}

TEST_CASE_FIXTURE(PollFixture,
                  "poll: more than a page comes page by page, each going on at the last one's cursor") {
  hub.set_limits(roomcast::test::tiny_pages(2));
  for (const char* payload : {"1", "2", "3", "4", "5"})
    publish(payload);
  turn();
  for (const std::uint64_t from : {0U, 2U, 4U}) {
    ask("?wait=30&since=" + cursor(from));
    turn();
  }
  CHECK(heard() == Words{"1 2 " + cursor(2), "3 4 " + cursor(4), "5 " + cursor(5)});
}

TEST_CASE_FIXTURE(PollFixture, "poll: one that does not wait gets its page even if that takes a few turns") {
  // The first page is as much as is made in a slice.
  const Words rooms{"a", "lobby"};
  for (const std::string& room : rooms) {
    publish(room == "a" ? std::string(64'000, '1') : "1", room);
    turn();
  }
  for (const std::string& room : rooms)
    ask("?since=" + cursor(0), room);
  (void)hub.do_slice();
  scheduler.flush();
  scheduler.flush_deferred();
  CHECK(answers.all.size() == 1);
  answers.all.clear();
  clock.advance(50);
  deadlines.sweep();
  CHECK(answers.all.empty());
  turn();
  CHECK(heard() == Words{"1 " + cursor(1)});
}

TEST_CASE_FIXTURE(PollFixture, "poll: a room that does not open in ten seconds is told to be tried again") {
  engine.hold_rooms = true;
  ask("?wait=60");
  ask("");
  turn();
  pass(9'999);
  CHECK(answers.all.empty());
  pass(1);
  REQUIRE(answers.all.size() == 2);
  CHECK(answers.all[0].headers.get("Retry-After") == "1");
  CHECK(heard() == Words{"503", "503"});
  CHECK(polls.size() == 0);
}

TEST_CASE_FIXTURE(PollFixture,
                  "poll: a room that can't be opened is told with its code, and when to try again") {
  engine.hold_rooms = true;
  ask("?wait=60");
  ask("");
  engine.events().on_subscribe_refused("lobby", {hub::Refusal::Code::unavailable, "no link"});
  turn();
  REQUIRE(answers.all.size() == 2);
  for (const http::Response& answer : answers.all) {
    CHECK(answer.status == 503);
    CHECK(answer.headers.get("Retry-After") == "1");
    CHECK(answer.body.view().find(R"("code":"unavailable")") != std::string_view::npos);
  }
  CHECK(polls.size() == 0);
}

TEST_CASE_FIXTURE(PollFixture, "poll: the wait begins when the room is open") {
  engine.hold_rooms = true;
  ask("?wait=2");
  pass(5'000);
  engine.open("lobby");
  turn();
  pass(1'999);
  CHECK(answers.all.empty());
  pass(1);
  CHECK(heard() == Words{cursor(0)});
}

TEST_CASE_FIXTURE(PollFixture,
                  "poll: a client that goes away is no longer in the room, and nobody is answered") {
  auto& waiting = ask("?wait=30&name=ada");
  turn();
  CHECK(hub.presence("lobby").count == 1);
  waiting.leave();
  CHECK(hub.subscribers("lobby") == 0);
  CHECK(polls.size() == 0);
  publish("1");
  turn();
  pass(60'000);
  CHECK(answers.all.empty());

  auto& leaving = ask("?wait=30");
  turn();
  publish("2");
  (void)hub.do_slice();
  leaving.leave();  // between its messages and the end of the turn
  turn();
  CHECK(answers.all.empty());
}

TEST_CASE_FIXTURE(PollFixture,
                  "polls: a few at a time are closed, with an empty list, to come back by themselves") {
  for (int i = 0; i < 5; ++i)
    ask("?wait=30");
  turn();
  polls.close_some(2);
  CHECK(polls.size() == 3);
  CHECK(heard() == Words{cursor(0), cursor(0)});
  polls.close_some(0);
  CHECK(polls.size() == 3);
  polls.close_some(10);
  CHECK(polls.size() == 0);
  CHECK(heard().size() == 3);
  turn();
  CHECK(hub.subscribers("lobby") == 0);

  engine.hold_rooms = true;
  ask("?wait=30", "unopened");
  polls.close_some(1);
  CHECK(heard() == Words{"503"});
}

TEST_CASE_FIXTURE(PollFixture, "polls: at the end all are dropped without an answer") {
  ask("?wait=30");
  ask("?wait=30");
  turn();
  polls.abort_all();
  CHECK(polls.size() == 0);
  CHECK(hub.subscribers("lobby") == 0);
  turn();
  CHECK(answers.all.empty());
}

TEST_CASE_FIXTURE(PollFixture, "poll: HEAD never waits") {
  publish("1");
  turn();
  ask("?wait=30", "lobby", http::Method::get);
  const auto& exchange = ask("?wait=30", "lobby", http::Method::head);
  CHECK_FALSE(exchange.watched());
  turn();
  REQUIRE(answers.all.size() == 1);
  CHECK(answers.all[0].status == 200);
  CHECK(answers.all[0].headers.get("Roomcast-Cursor") == cursor(1));
  CHECK(answers.all[0].headers.get("Roomcast-Subscribers") == "1");
}

TEST_CASE_FIXTURE(PollFixture, "poll: what makes no sense is refused before anything is waited for") {
  CHECK(refusal(ask("?wait=soon")) == "400 bad_wait");
  CHECK(refusal(ask("?wait=")) == "400 bad_wait");
  CHECK(refusal(ask("?wait=-1")) == "400 bad_wait");
  CHECK(refusal(ask("?since=x")) == "400 bad_cursor");
  CHECK(refusal(ask("?history=some")) == "400 bad_history");
  CHECK(refusal(ask("?wait=%")) == "400 bad_query");
  CHECK(refusal(ask("", "\x01")) == "400 bad_room_name");
  hub.set_overloaded(true);
  CHECK(refusal(ask("")) == "503 overloaded");
  CHECK(exchanges.back().header("Vary").find("Accept, Accept-Encoding") == 0);
  CHECK(polls.size() == 0);
  CHECK(engine.log.empty());
}

}  // namespace poll_test
