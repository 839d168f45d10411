// In which bytes the answer of a poll comes.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "support/stream_reader.h"
#include "unit/transport/poll_fixture.h"

namespace poll_answer_test {

using namespace roomcast;
using namespace roomcast::transport;
using namespace roomcast::transport::test;
using roomcast::test::ExchangeDouble;

TEST_CASE_FIXTURE(PollFixture,
                  "poll: a body of some length is compressed for whoever accepts that, once for all") {
  const auto ask_coded = [&](std::string_view coding) {
    ExchangeDouble exchange(http::Method::get, "/rooms/lobby?wait=30");
    if (!coding.empty()) exchange.edit().headers.add("Accept-Encoding", std::string(coding));
    ask(std::move(exchange));
  };
  const auto all_ask = [&] {
    for (const char* coding : {"gzip", "", "br, gzip;q=0.5", "gzip;q=0", "gzip"})
      ask_coded(coding);
    turn();
  };
  all_ask();
  publish(std::string(2'000, 'x'));
  turn();
  REQUIRE(answers.all.size() == 5);
  const auto is_coded = [&](std::size_t i) {
    return answers.all[i].headers.get("Content-Encoding") == "gzip";
  };
  const auto bytes = [&](std::size_t i) { return answers.all[i].body.view(); };
  CHECK(is_coded(0));
  CHECK_FALSE(is_coded(1));
  CHECK(is_coded(2));
  CHECK_FALSE(is_coded(3));
  CHECK(is_coded(4));
  // The very same bytes, not only equal ones.
  CHECK(bytes(0).data() == bytes(2).data());
  CHECK(bytes(0).data() == bytes(4).data());
  CHECK(bytes(1).data() == bytes(3).data());
  CHECK(bytes(0).size() < 200);
  CHECK(roomcast::test::Gunzip().read(bytes(0)) == bytes(1));

  answers.all.clear();
  all_ask();
  publish("short");
  turn();
  REQUIRE(answers.all.size() == 5);
  for (std::size_t i = 0; i < 5; ++i)
    CHECK_FALSE(is_coded(i));

  answers.all.clear();
  polls.set_settings({60'000, false});
  all_ask();
  publish(std::string(2'000, 'y'));
  turn();
  REQUIRE(answers.all.size() == 5);
  for (std::size_t i = 0; i < 5; ++i)
    CHECK_FALSE(is_coded(i));
}

TEST_CASE_FIXTURE(PollFixture, "poll: bodies are compressed from 1,024 bytes on") {
  ask("?wait=30");
  turn();
  publish("x");
  turn();
  const std::size_t around = answers.all.at(0).body.size() - 1;
  for (const std::size_t size : {std::size_t{1'023}, std::size_t{1'024}}) {
    answers.all.clear();
    ExchangeDouble exchange(http::Method::get, "/rooms/lobby?wait=30");
    exchange.edit().headers.add("Accept-Encoding", "gzip");
    ask(std::move(exchange));
    turn();
    publish(std::string(size - around, 'x'));
    turn();
    REQUIRE(answers.all.size() == 1);
    CHECK(answers.all[0].headers.get("Content-Encoding").has_value() == (size == 1'024));
  }
}

TEST_CASE_FIXTURE(PollFixture, "poll: thousands who wait for one message share one body") {
  for (int i = 0; i < 3'000; ++i)
    ask("?wait=30");
  turn();
  publish("hi");
  turn();
  REQUIRE(answers.all.size() == 3'000);
  std::set<const void*> bodies;
  for (const http::Response& response : answers.all)
    bodies.insert(response.body.view().data());
  CHECK(bodies.size() == 1);
}

TEST_CASE_FIXTURE(PollFixture, "poll: nobody gets the body of another room, or of another gap") {
  ask("?wait=30");
  ask("?wait=30", "attic");
  ask("?wait=30");
  turn();
  publish("hi");
  publish("hi", "attic");
  turn();
  REQUIRE(answers.all.size() == 3);
  std::size_t of_attic = 0;
  for (const http::Response& response : answers.all)
    of_attic += response.body.view().find(R"({"room":"attic",)") == 0 ? 1U : 0U;
  CHECK(of_attic == 1);

  answers.all.clear();
  ask("?since=" + cursor(0));
  ask("?since=" + no_log);
  ask("?since=" + cursor(0));
  turn();
  CHECK(heard() == Words{"hi " + cursor(1), "hi gap " + cursor(1), "hi " + cursor(1)});
}

}  // namespace poll_answer_test
