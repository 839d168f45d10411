#include "api/publish.h"

#include <doctest/doctest.h>

#include <functional>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"
#include "part/settings.h"
#include "support/exchange_double.h"
#include "support/hub_fixture.h"

namespace publish_test {

using namespace roomcast;
using test::ExchangeDouble;

namespace {

/// Keeps what a room delivers.
struct Listener final : hub::Subscriber {
  void on_joined(hub::Membership& /*membership*/, const hub::Joined& /*joined*/) override {}
  void on_gap(hub::Membership& /*membership*/, const hub::Gap& /*gap*/) override {}
  void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
  void deliver(hub::Batch& batch, std::size_t from) override {
    for (const auto& message : batch.messages().subspan(from))
      messages.push_back(message);
  }
  std::vector<hub::Message> messages;
};

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
  Fixture() : HubFixture(test::small_backlog(1'000)) { rooms.set_limits({20, 63}); }
  ExchangeDouble post(std::string_view content_type, std::string_view body, std::string_view query = "") {
    ExchangeDouble exchange(http::Method::post, "/rooms/lobby" + std::string(query));
    exchange.edit().headers.add("Host", "chat.test");
    if (!content_type.empty()) exchange.edit().headers.add("Content-Type", std::string(content_type));
    exchange.edit().body = body;
    return exchange;
  }
  /// Publishes and says what kind of message came of it.
  hub::Kind kind_of(std::string_view content_type, std::string_view body) {
    auto exchange = post(content_type, body);
    publish.handle(exchange, "lobby");
    turn();
    REQUIRE_FALSE(exchange.answered());
    REQUIRE_FALSE(lobby.messages.empty());
    CHECK(lobby.messages.back().payload.view() == body);
    return lobby.messages.back().kind;
  }
  /// The answer to a request that is refused at once: its status and error code.
  std::string refusal(ExchangeDouble exchange, std::string_view room = "lobby") {
    publish.handle(exchange, room);
    turn();
    CHECK(lobby.messages.empty());
    CHECK_FALSE(exchange.deferred());
    if (!exchange.answered()) return "not answered";
    const std::string body(exchange.body());
    const std::string front = R"({"error":{"code":")";
    if (body.rfind(front, 0) != 0) return body;
    return std::to_string(exchange.status()) + " " +
           body.substr(front.size(), body.find('"', front.size()) - front.size());
  }

  Listener lobby;
  std::unique_ptr<hub::Membership> membership = hub.subscribe("lobby", lobby);
  Answers answers;
  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms rooms{hub, publisher, access, part::service_limits({})};
  api::Publish publish{rooms, answers};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "publish: the media type says what kind of message it is") {
  CHECK(kind_of("text/plain", "hi") == hub::Kind::text);
  CHECK(kind_of("text/plain; charset=utf-8", "hi") == hub::Kind::text);
  CHECK(kind_of("TEXT/HTML;charset=utf-8", "<b>") == hub::Kind::text);
  CHECK(kind_of("application/json", "[1]") == hub::Kind::json);
  CHECK(kind_of("application/json;charset=utf-8", "[1]") == hub::Kind::json);
  CHECK(kind_of("Application/JSON ;charset=utf-8", "{}") == hub::Kind::json);
  CHECK(kind_of("application/cloudevents+json; charset=utf-8", "{}") == hub::Kind::json);
  CHECK(kind_of("Application/Vnd.Api+JSON", "{}") == hub::Kind::json);
  CHECK(kind_of("model/gltf+json", "{}") == hub::Kind::json);
  CHECK(kind_of("application/x+jsonx", "\xff") == hub::Kind::binary);
  CHECK(kind_of("+json", "\xff") == hub::Kind::binary);
  CHECK(kind_of("application/x-www-form-urlencoded", "h\xc3\xa9llo") == hub::Kind::text);
  CHECK(kind_of("Application/X-WWW-Form-Urlencoded; charset=utf-8", "a=b") == hub::Kind::text);
  CHECK(kind_of("application/x-www-form-urlencoded", "a\xff") == hub::Kind::binary);
  CHECK(kind_of("application/octet-stream", "\xff") == hub::Kind::binary);
  CHECK(kind_of("application/json-seq", "{") == hub::Kind::binary);
  CHECK(kind_of("context/plain", "\xff") == hub::Kind::binary);
  CHECK(kind_of("text", "\xff") == hub::Kind::binary);
  CHECK(kind_of("", "\xff") == hub::Kind::binary);
  CHECK(kind_of("text/plain", "") == hub::Kind::text);
}

TEST_CASE_FIXTURE(Fixture, "publish: text must be UTF-8 and json one JSON value") {
  CHECK(refusal(post("text/plain", "\xc3(")) == "400 invalid_text");
  CHECK(refusal(post("application/json", "{\"a\":")) == "400 invalid_json");
  CHECK(refusal(post("application/json", "1 2")) == "400 invalid_json");
  CHECK(refusal(post("application/ld+json", "1 2")) == "400 invalid_json");
  CHECK(refusal(post("application/json", "")) == "400 invalid_json");
}

TEST_CASE_FIXTURE(Fixture,
                  "publish: a message may be as large as the limit and no larger, as of this request") {
  CHECK(refusal(post("", std::string(21, 'x'))) == "413 message_too_big");
  CHECK(kind_of("", std::string(20, 'x')) == hub::Kind::binary);
  rooms.set_limits({21, 63});
  CHECK(kind_of("", std::string(21, 'x')) == hub::Kind::binary);

  auto exchange = post("", std::string(22, 'x'));
  publish.handle(exchange, "lobby");
  CHECK(exchange.body().find("22 bytes, limits.message_bytes allows 21") != std::string_view::npos);
}

TEST_CASE_FIXTURE(Fixture, "publish: a bad room name is refused with the reason") {
  CHECK(refusal(post("text/plain", "hi"), "") == "400 bad_room_name");
  CHECK(refusal(post("text/plain", "hi"), "a\x01z") == "400 bad_room_name");
}

TEST_CASE_FIXTURE(Fixture, "publish: ?name= is who the message is from") {
  auto named = post("text/plain", "hi", "?name=Ren%C3%A9");
  publish.handle(named, "lobby");
  auto anonymous = post("text/plain", "ho");
  publish.handle(anonymous, "lobby");
  turn();
  REQUIRE(lobby.messages.size() == 2);
  CHECK(lobby.messages[0].author.name() == "Ren\xC3\xA9");
  CHECK(lobby.messages[1].author.name().empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "publish: the receipt comes once the message has its place, in an answer of its own") {
  Listener second;
  const auto also_there = hub.subscribe("lobby", second);
  engine.hold_answers = true;
  auto exchange = post("text/plain", "hi");
  publish.handle(exchange, "lobby");
  CHECK(exchange.deferred());
  turn();
  CHECK_FALSE(answers.last.has_value());

  REQUIRE(engine.held.size() == 1);
  engine.events().on_published(engine.held[0], hub::Published{hub::Position{0xabc, 7}});
  CHECK_FALSE(answers.last.has_value());  // not from within the engine
  turn();
  CHECK_FALSE(exchange.answered());
  CHECK(answers.ids == std::vector<base::SlotId>{ExchangeDouble::id});
  REQUIRE(answers.last.has_value());
  CHECK(answers.last->status == 200);
  CHECK(answers.last->headers.get("Content-Type") == "application/json");
  CHECK(answers.last->headers.get("Cache-Control") == "no-store");
  CHECK(answers.last->body.view() == R"({"room":"lobby","cursor":"0000000000000abc-7","subscribers":2})"
                                     "\n");
}

TEST_CASE_FIXTURE(Fixture, "publish: a room without anybody in it is fine, and its name is escaped") {
  auto exchange = post("text/plain", "hi");
  publish.handle(exchange, "a\"b");
  turn();
  REQUIRE(answers.last.has_value());
  CHECK(answers.last->body.view().find(R"({"room":"a\"b",)") == 0);
  CHECK(answers.last->body.view().find(R"("subscribers":0})") != std::string_view::npos);
}

TEST_CASE_FIXTURE(Fixture, "publish: while the hub takes nothing, the client is asked to come back later") {
  hub.set_overloaded(true);
  auto exchange = post("text/plain", "hi");
  publish.handle(exchange, "lobby");
  turn();
  CHECK(lobby.messages.empty());
  REQUIRE(answers.last.has_value());
  CHECK(answers.last->status == 503);
  CHECK(answers.last->headers.get("Retry-After") == "1");
  CHECK(answers.last->body.view().find("limits.memory_bytes") != std::string_view::npos);
}

TEST_CASE_FIXTURE(Fixture, "publish: an engine that does not answer is told apart from too much to do") {
  engine.hold_answers = true;
  auto exchange = post("text/plain", "hi");
  publish.handle(exchange, "lobby");
  engine.events().on_published(engine.held.back(), hub::Refusal{hub::Refusal::Code::unavailable, "no link"});
  turn();
  REQUIRE(answers.last.has_value());
  CHECK(answers.last->status == 503);
  CHECK(answers.last->headers.get("Retry-After") == "1");
  CHECK(answers.last->body.view().find(R"("code":"unavailable")") != std::string_view::npos);
}

TEST_CASE_FIXTURE(Fixture, "publish: the message says by the client's address who it comes from") {
  auto exchange = post("text/plain", "hi");
  exchange.edit().client.address = "192.0.2.7";
  publish.handle(exchange, "lobby");
  CHECK(engine.sources == std::vector{hub::source_of("192.0.2.7")});
}

}  // namespace publish_test
