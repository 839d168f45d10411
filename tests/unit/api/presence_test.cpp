#include "api/presence.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "part/settings.h"
#include "support/exchange_double.h"
#include "support/hub_fixture.h"

namespace presence_test {

using namespace roomcast;
using test::ExchangeDouble;

namespace {

struct Listener final : hub::Subscriber {
  void on_joined(hub::Membership& /*membership*/, const hub::Joined& /*joined*/) override {}
  void on_gap(hub::Membership& /*membership*/, const hub::Gap& /*gap*/) override {}
  void on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) override {}
  void deliver(hub::Batch& /*batch*/, std::size_t /*from*/) override {}
};

/// Keeps the last answer.
struct DeferredDouble final : http::DeferredResponses {
  std::string_view client_address(base::SlotId /*id*/) override { return "unix"; }
  void respond(base::SlotId /*id*/, http::Response response) override { last = std::move(response); }
  bool resume(base::SlotId /*id*/, const std::function<void(http::RequestContext&)>& /*change*/) override {
    return false;
  }
  std::optional<http::HandOver> take_over(base::SlotId /*id*/, std::string_view /*head*/) override {
    return std::nullopt;
  }
  std::optional<http::Response> last;
};

struct Fixture : test::HubFixture<> {
  Fixture() { hub.set_rules(hub::RoomRules({part::room_settings({}).history, {3'000, 2}})); }
  void join(std::string_view name) {
    hub::Interest interest;
    interest.author = hub::Author(name);
    members.push_back(hub.subscribe("lobby", listener, interest));
  }
  ExchangeDouble get(std::string_view room) {
    ExchangeDouble exchange(http::Method::get, "/presence/lobby");
    exchange.edit().headers.add("Host", "chat.test");
    presence.handle(exchange, room);
    return exchange;
  }

  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms rooms{hub, publisher, access, part::service_limits({})};
  DeferredDouble responses;
  api::Presence presence{rooms, responses};
  Listener listener;
  std::vector<std::unique_ptr<hub::Membership>> members;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "GET presence: members by name, each once, and how many have none") {
  join("b\"b");
  join("b\"b");
  join("");
  const auto answer = get("lobby");
  CHECK(answer.status() == 200);
  CHECK(answer.header("Content-Type") == "application/json");
  CHECK(answer.header("Cache-Control") == "no-store");
  CHECK(answer.body() == R"({"room":"lobby","count":2,"members":[{"name":"b\"b"}],"anonymous":1})"
                         "\n");
}

TEST_CASE_FIXTURE(Fixture, "GET presence: a crowd is a number") {
  join("ada");
  join("bob");
  join("");
  CHECK(get("lobby").body() == R"({"room":"lobby","count":3,"anonymous":1})"
                               "\n");
}

TEST_CASE_FIXTURE(Fixture,
                  "GET presence: a room that nobody knows is empty, and asking makes no room of it") {
  CHECK(get("no\\where").body() == R"({"room":"no\\where","count":0,"members":[],"anonymous":0})"
                                   "\n");
  CHECK(hub.rooms() == 0);
}

TEST_CASE_FIXTURE(Fixture, "GET presence: where servers share their rooms it waits until the room is open") {
  engine.shares = true;
  engine.hold_rooms = true;
  CHECK(get("a\x01z").status() == 400);
  CHECK(hub.rooms() == 0);
  (void)get("lobby");
  CHECK_FALSE(responses.last);
  hub.on_presence("lobby", 7, {hub::NodeChange::What::all, {hub::Author("ada")}, {}, 1, 1});
  engine.open("lobby");
  turn();
  REQUIRE(responses.last);
  CHECK(responses.last->body.view() ==
        R"({"room":"lobby","count":2,"members":[{"name":"ada"}],"anonymous":1})"
        "\n");
  // It is open now.
  CHECK(get("lobby").status() == 200);
}

TEST_CASE_FIXTURE(Fixture, "GET presence: a bad room name is refused with the reason") {
  const auto answer = get("a\x01z");
  CHECK(answer.status() == 400);
  CHECK(answer.body().find(R"({"error":{"code":"bad_room_name")") == 0);
  CHECK(answer.header("Cache-Control") == "no-store");
}

}  // namespace presence_test
