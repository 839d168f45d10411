#include "api/publish_batch.h"

#include <doctest/doctest.h>

#include <functional>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"
#include "part/settings.h"
#include "support/exchange_double.h"
#include "support/hub_fixture.h"

namespace publish_batch_test {

using namespace roomcast;
using test::ExchangeDouble;

namespace {

/// Keeps the deferred answers.
struct Answers final : http::DeferredResponses {
  [[nodiscard]] std::string_view client_address(base::SlotId /*id*/) override { return {}; }
  void respond(base::SlotId id, http::Response response) override {
    ids.push_back(id);
    last = std::move(response);
  }
  bool resume(base::SlotId /*id*/, const std::function<void(http::RequestContext&)>& /*change*/) override {
    return false;
  }
  std::optional<http::HandOver> take_over(base::SlotId /*id*/, std::string_view /*head*/) override {
    return std::nullopt;
  }
  std::vector<base::SlotId> ids;
  std::optional<http::Response> last;
};

struct Fixture : test::HubFixture<> {
  Fixture() { set_limits(20, 3); }
  void set_limits(std::uint64_t message_bytes, std::uint64_t messages) {
    rooms.set_limits({message_bytes, 63});
    config.limits.batch_messages = messages;
    batch.apply(config);
  }

  static ExchangeDouble post(std::string_view body, std::string_view content_type = "application/json") {
    ExchangeDouble exchange(http::Method::post, "/api/publish");
    exchange.edit().headers.add("Host", "chat.test");
    if (!content_type.empty()) exchange.edit().headers.add("Content-Type", std::string(content_type));
    exchange.edit().body = body;
    return exchange;
  }
  /// Posts `{"messages":[…]}` with these.
  void send(std::string_view messages) {
    auto exchange = post(R"({"messages":[)" + std::string(messages) + "]}");
    batch.handle(exchange, "");
    CHECK(exchange.deferred());
    CHECK_FALSE(exchange.answered());
  }
  /// The results of the last answer.
  std::string results() {
    if (!answers.last) return "none";
    CHECK(answers.last->status == 200);
    const std::string body(std::exchange(answers.last, std::nullopt)->body.view());
    const std::string front = R"({"results":[)";
    const std::string back = "]}\n";
    CHECK(body.rfind(front, 0) == 0);
    REQUIRE(body.size() >= front.size() + back.size());
    CHECK(body.substr(body.size() - back.size()) == back);
    return body.substr(front.size(), body.size() - front.size() - back.size());
  }
  /// What a request that is refused as a whole is told.
  std::string refusal(ExchangeDouble exchange) {
    batch.handle(exchange, "");
    turn();
    CHECK_FALSE(exchange.deferred());
    CHECK(engine.log.empty());  // not even a room was made
    if (!exchange.answered()) return "not answered";
    const std::string body(exchange.body());
    const std::string front = R"({"error":{"code":")";
    if (body.rfind(front, 0) != 0) return body;
    return std::to_string(exchange.status()) + " " +
           body.substr(front.size(), body.find('"', front.size()) - front.size());
  }
  std::uint64_t messages(const std::string& room) { return engine.top(room).offset; }

  Answers answers;
  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms rooms{hub, publisher, access, part::service_limits({})};
  config::Config config;
  api::PublishBatch batch{rooms, answers, scheduler};
};

/// The receipt of the first log's `offset`th message.
std::string receipt(const std::string& room, int offset, bool duplicate = false) {
  return R"({"room":")" + room + R"(","cursor":"0000000000000001-)" + std::to_string(offset) +
         R"(","subscribers":0)" + (duplicate ? R"(,"duplicate":true})" : "}");
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "batch: each message and room has its receipt, in order, in one answer") {
  send(R"({"room":"b","data":1},{"rooms":["a","b"],"data":"x"})");
  CHECK_FALSE(answers.last.has_value());  // not from within the request
  turn();
  CHECK(answers.ids == std::vector<base::SlotId>{ExchangeDouble::id});
  REQUIRE(answers.last);
  CHECK(answers.last->headers.get("Content-Type") == "application/json");
  CHECK(answers.last->headers.get("Cache-Control") == "no-store");
  CHECK(results() == receipt("b", 1) + "," + receipt("a", 1) + "," + receipt("b", 2));
}

TEST_CASE_FIXTURE(Fixture, "batch: a receipt says that the message is on the disk") {
  engine.hold_answers = true;
  send(R"({"room":"a","data":1},{"room":"a","data":2})");
  turn();
  REQUIRE(engine.held.size() == 2);
  engine.events().on_published(engine.held[0], hub::Published{{1, 1}, true, true});
  engine.events().on_published(engine.held[1], hub::Published{{1, 2}, true});
  turn();
  const std::string first = receipt("a", 1, true);
  const std::string second = receipt("a", 2);
  CHECK(results() == first.substr(0, first.size() - 1) + R"(,"durable":true},)" +
                         second.substr(0, second.size() - 1) + R"(,"durable":true})");
}

TEST_CASE_FIXTURE(Fixture, "batch: the answer waits for the last outcome, whichever comes first") {
  engine.hold_answers = true;
  send(R"({"room":"a","data":1},{"room":"b","data":2},{"room":"c","data":3})");
  turn();
  REQUIRE(engine.held.size() == 3);
  engine.events().on_published(engine.held[2], hub::Published{hub::Position{1, 33}});
  engine.events().on_published(engine.held[0], hub::Published{hub::Position{1, 11}});
  turn();
  CHECK_FALSE(answers.last.has_value());
  engine.events().on_published(engine.held[1], hub::Refusal{hub::Refusal::Code::overloaded, "not today"});
  turn();
  CHECK(results() == receipt("a", 11) + "," +
                         R"({"room":"b","error":{"code":"overloaded","message":"not today"}},)" +
                         receipt("c", 33));
  CHECK(answers.ids.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "batch: two under way at once each get their own") {
  engine.hold_answers = true;
  send(R"({"room":"a","data":1})");
  send(R"({"room":"b","data":2})");
  REQUIRE(engine.held.size() == 2);
  engine.events().on_published(engine.held[1], hub::Published{hub::Position{1, 2}});
  turn();
  CHECK(results() == receipt("b", 2));
  engine.events().on_published(engine.held[0], hub::Published{hub::Position{1, 1}});
  turn();
  CHECK(results() == receipt("a", 1));
}

TEST_CASE_FIXTURE(Fixture, "batch: no messages are answered with no results, and only problems with these") {
  send("");
  CHECK(results().empty());
  send(R"({"room":"\u0001\"","data":1})");
  const std::string only = results();
  CHECK(only.find(R"({"room":"\u0001\"","error":{"code":"bad_room_name","message":")") == 0);
  CHECK(engine.log.empty());
}

TEST_CASE_FIXTURE(Fixture, "batch: of a name that is none the answer repeats the beginning") {
  const auto echoed = [&](const std::string& name) {
    send(R"({"room":")" + name + R"(","data":1})");
    const std::string answer = results();
    constexpr std::string_view front = R"({"room":")";
    return answer.substr(front.size(), answer.find('"', front.size()) - front.size());
  };
  CHECK(echoed(std::string(256, 'n')) == std::string(256, 'n'));
  CHECK(echoed(std::string(257, 'n')) == std::string(256, 'n') + "\u2026");
  // Not within a character.
  CHECK(echoed(std::string(255, 'n') + "\u00e4") == std::string(255, 'n') + "\u2026");
}

TEST_CASE_FIXTURE(Fixture, "batch: those with problems are answered by turns as well") {
  set_limits(20, 1'000);
  std::string messages = R"({"room":"","data":1})";
  for (int i = 1; i < 40; ++i)
    messages += R"(,{"room":"","data":1})";
  send(messages);
  CHECK_FALSE(answers.last);
  turn();
  const std::string answer = results();
  std::size_t count = 0;
  for (auto at = answer.find("bad_room_name"); at != std::string::npos;
       at = answer.find("bad_room_name", at + 1))
    ++count;
  CHECK(count == 40);
}

TEST_CASE_FIXTURE(Fixture, "batch: a message with a problem keeps none of the others from being published") {
  send(R"({"room":"a","data":1},{"room":"b","data_base64":"x"},{"room":"c","data":3})");
  turn();
  CHECK(
      results() ==
      receipt("a", 1) + "," +
          R"({"room":"b","error":{"code":"invalid_data","message":"data_base64 must be base64 with padding"}},)" +
          receipt("c", 1));
  CHECK(messages("b") == 0);
}

TEST_CASE_FIXTURE(Fixture, "batch: a key is good once in each room, within a batch and across") {
  send(R"({"rooms":["a","b"],"data":1,"key":"k"},{"room":"a","data":1,"key":"k"})");
  turn();
  CHECK(results() == receipt("a", 1) + "," + receipt("b", 1) + "," + receipt("a", 1, true));
  send(R"({"room":"b","data":1,"key":"k"},{"room":"a","data":2,"key":"k"},{"room":"a","data":2})");
  turn();
  CHECK(
      results() ==
      receipt("b", 1, true) + "," +
          R"({"room":"a","error":{"code":"key_reused","message":"that idempotency key belongs to another message"}},)" +
          receipt("a", 2));
  CHECK(messages("b") == 1);
}

TEST_CASE_FIXTURE(Fixture, "batch: while the hub takes nothing each message is told so") {
  hub.set_overloaded(true);
  send(R"({"rooms":["a","b"],"data":1})");
  turn();
  const std::string both = results();
  CHECK(both.find(R"({"room":"a","error":{"code":"overloaded",)") == 0);
  CHECK(both.find(R"(,{"room":"b","error":{"code":"overloaded",)") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "batch: what is refused as a whole publishes nothing of it") {
  const std::string good = R"({"messages":[{"room":"a","data":1},)";
  CHECK(refusal(post(good + "1]}")) == "400 bad_request");
  CHECK(refusal(post(good + R"({"room":"b"}]})")) == "400 bad_request");
  CHECK(refusal(post(good)) == "400 invalid_json");
  CHECK(refusal(post(good + R"({"rooms":["b","c","d"],"data":2}]})")) == "413 too_many_messages");
  CHECK(refusal(post("")) == "400 invalid_json");
}

TEST_CASE_FIXTURE(Fixture, "batch: limits are those of the moment") {
  set_limits(20, 4);
  send(R"({"rooms":["a","b","c","d"],"data":1})");
  turn();
  CHECK(results().find("error") == std::string::npos);
  set_limits(0, 4);
  send(R"({"room":"a","data":1})");
  turn();
  CHECK(results().find(R"("code":"message_too_big")") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "batch: it is application/json without a coding, or refused") {
  const std::string_view good = R"({"messages":[{"room":"a","data":1}]})";
  for (const char* type :
       {"", "text/plain", "application/json-seq", "text/json", "application/x-www-form-urlencoded"})
    CHECK(refusal(post(good, type)) == "415 unsupported_media_type");
  auto coded = post(good);
  coded.edit().headers.add("Content-Encoding", "gzip");
  CHECK(refusal(std::move(coded)) == "415 unsupported_encoding");

  for (const char* type : {"application/json", "Application/JSON; charset=utf-8", "application/json ;x=y",
                           "application/cloudevents-batch+json"}) {
    auto exchange = post(good, type);
    exchange.edit().headers.add("Content-Encoding", "identity");
    batch.handle(exchange, "");
    turn();
    CHECK(results().find("error") == std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "publish batch: every message says by the client's address who it comes from") {
  auto exchange = post(R"({"messages":[{"rooms":["a","b"],"data":1}]})");
  exchange.edit().client.address = "192.0.2.7";
  batch.handle(exchange, "");
  CHECK(engine.sources == std::vector(2, hub::source_of("192.0.2.7")));
}

TEST_CASE_FIXTURE(Fixture,
                  "batch: a long one is published some messages at a time, behind what others ask for") {
  set_limits(20, 1'000);
  std::string messages_text = R"({"room":"r","data":0})";
  for (int i = 1; i < 1'000; ++i)
    messages_text += R"(,{"room":"r","data":)" + std::to_string(i) + "}";
  send(messages_text);
  const std::uint64_t at_once = messages("r");
  CHECK(at_once > 0);
  CHECK(at_once <= 64);
  CHECK(scheduler.deferred() == 1);
  SUBCASE("while their outcomes come") {
    turn();
    CHECK(messages("r") == 1'000);
    REQUIRE(answers.last);
    CHECK(results().find("-1000") != std::string::npos);
  }
  SUBCASE("no more than some without an outcome, so that one batch is no backlog") {
    engine.hold_answers = true;
    turn();
    CHECK(messages("r") <= 128);
    CHECK_FALSE(answers.last.has_value());
    engine.hold_answers = false;
    for (const hub::Ticket ticket : engine.held)
      engine.events().on_published(ticket, hub::Published{hub::Position{1, 1}});
    turn();
    CHECK(messages("r") == 1'000);
    CHECK(answers.last.has_value());
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "batch: it is held for its connection, and what of it was not published goes with that") {
  set_limits(20, 1'000);
  std::string body = R"({"messages":[{"room":"r","data":0})";
  for (int i = 1; i < 1'000; ++i)
    body += R"(,{"room":"r","data":0})";
  auto exchange = post(body + "]}");
  bool has_outcomes = false;
  SUBCASE("with some under way") {}
  SUBCASE("with none under way") { has_outcomes = true; }
  engine.hold_answers = !has_outcomes;
  batch.handle(exchange, "");
  REQUIRE(exchange.deferred());
  CHECK(exchange.held() > body.size() + 1'000 * sizeof(api::PublishItem));
  if (has_outcomes) (void)hub.do_slice();
  const std::uint64_t published = messages("r");
  CHECK(published < 200);
  exchange.leave();
  turn();
  CHECK(messages("r") == published);
}

}  // namespace publish_batch_test
