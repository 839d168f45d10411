#include "api/clients.h"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "api/sanctions.h"
#include "api/user_publish.h"
#include "support/fake_transport.h"
#include "unit/api/operator_fixture.h"

namespace clients_test {

using namespace roomcast;
using base::CloseReason;
using test::FakeTransport;

namespace {

struct Fixture : test::OperatorFixture {
  Fixture() {
    framing.named_events = true;
    add(api::make_clients(context));
    add(api::make_sanctions(context));
    add(api::make_user_publish(context));
  }
  ~Fixture() {
    sessions.abort_all();
    turn();
  }
  /// A client of roomcast.v1 that takes requests, or a raw one.
  FakeTransport::Wire& open(const access::Identity& identity, std::string_view room, bool is_raw = false,
                            std::string_view name = {}) {
    FakeTransport::Wire& wire = wires.emplace_back();
    session::Options options;
    options.room = room;
    options.name = name;
    options.two_way = !is_raw;
    options.identity = identity;
    sessions.open(std::make_unique<FakeTransport>(wire, framing),
                  is_raw ? static_cast<dialect::Dialect&>(raw) : json, options);
    turn();
    wire.sent.clear();
    return wire;
  }
  static std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
      ++count;
    return count;
  }
  static std::string next_of(const std::string& page) {
    const auto at = page.find(R"("next":")");
    return at == std::string::npos ? "" : page.substr(at + 8, page.find('"', at + 8) - at - 8);
  }
  /// Lets sweeps come to their end.
  void settle() {
    for (int i = 0; i < 5; ++i)
      turn();
  }

  test::BracketFraming framing;
  std::deque<FakeTransport::Wire> wires;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "GET /api/clients: who is connected, as what and where") {
  open(user("ada"), "chat/1");
  open({}, "news", true, "bob");
  const std::string listed = get(admin(), "/api/clients");
  CHECK(listed ==
        R"(200 {"clients":[{"id":"0-1","user":"ada","name":"ada","address":"192.0.2.1","transport":"fake",)"
        R"("dialect":"json","connected_seconds":0,"room_count":1,"rooms":["chat/1"]},)"
        R"({"id":"1-1","name":"bob","address":"192.0.2.1","transport":"fake","dialect":"raw",)"
        R"("connected_seconds":0,"room_count":1,"rooms":["news"]}],"next":null})");
}

TEST_CASE_FIXTURE(Fixture, "GET /api/clients: by user, address and room") {
  open(user("ada"), "chat/1");
  open(user("ada"), "news");
  open({}, "chat/1");
  CHECK(count_of(get(admin(), "/api/clients?user=ada"), "\"id\"") == 2);
  CHECK(count_of(get(admin(), "/api/clients?user=ada&room=news"), "\"id\"") == 1);
  CHECK(count_of(get(admin(), "/api/clients?user=bob"), "\"id\"") == 0);
  CHECK(count_of(get(admin(), "/api/clients?room=chat/1"), "\"id\"") == 2);
  CHECK(count_of(get(admin(), "/api/clients?address=192.0.2.0/24"), "\"id\"") == 3);
  CHECK(count_of(get(admin(), "/api/clients?address=192.0.3.0/24"), "\"id\"") == 0);
  CHECK(count_of(get(moderator("chat/*"), "/api/clients?room=chat/1"), "\"id\"") == 2);
  CHECK(code_of(get(moderator("chat/*"), "/api/clients?room=news")) == "403 forbidden");
  CHECK(code_of(get(moderator("**"), "/api/clients")) == "403 forbidden");
  CHECK(code_of(get(admin(), "/api/clients?address=here")) == "400 bad_request");
}

TEST_CASE_FIXTURE(Fixture, "GET /api/clients: in pages, of which each is bounded in work as well") {
  for (int i = 0; i < 2'500; ++i)
    open(i % 2'000 == 100 ? user("ada") : access::Identity(), "lobby", true);
  const std::string first = get(admin(), "/api/clients?limit=3");
  CHECK(count_of(first, "\"id\"") == 3);
  CHECK(next_of(first) == "3");
  const std::string second = get(admin(), "/api/clients?limit=1000&after=2000");
  CHECK(count_of(second, "\"id\"") == 500);
  CHECK(next_of(second).empty());
  // One page has no room for both.
  const std::string some = get(admin(), "/api/clients?user=ada&limit=1");
  CHECK(count_of(some, "\"id\"") == 1);
  CHECK(next_of(some) == "2100");
  CHECK(count_of(get(admin(), "/api/clients?user=ada&limit=1&after=2100"), "\"id\"") == 1);
  CHECK(next_of(get(admin(), "/api/clients?room=nowhere")) == "2048");
}

TEST_CASE_FIXTURE(Fixture, "POST /api/disconnect: a client, a user, a room, with a reason that they see") {
  auto& ada = open(user("ada"), "chat/1");
  auto& ada_too = open(user("ada"), "news", true);
  auto& bob = open(user("bob"), "chat/1");
  auto& eve = open({}, "news", true);
  CHECK(post(admin(), "/api/disconnect", R"({"user":"ada","reason":"tidying"})") == R"(200 {"clients":2})");
  CHECK(ada.closes == std::vector{CloseReason::forbidden});
  CHECK(ada.sent.find("disconnected by an operator: tidying") != std::string::npos);
  CHECK(ada_too.closes == std::vector{CloseReason::forbidden});
  CHECK(bob.closes.empty());
  CHECK(post(admin(), "/api/disconnect", R"({"client":"2-1"})") == R"(200 {"clients":1})");
  CHECK(bob.closes == std::vector{CloseReason::forbidden});
  CHECK(code_of(post(admin(), "/api/disconnect", R"({"client":"2-1"})")) == "404 not_found");
  CHECK(code_of(post(admin(), "/api/disconnect", R"({"client":"2"})")) == "404 not_found");
  CHECK(code_of(post(admin(), "/api/disconnect", R"({"user":"joe"})")) == "404 not_found");
  CHECK(post(moderator("news"), "/api/disconnect", R"({"room":"news"})") == R"(202 {"clients":null})");
  settle();
  CHECK(eve.closes == std::vector{CloseReason::forbidden});
  CHECK(code_of(post(moderator("**"), "/api/disconnect", R"({"user":"bob"})")) == "403 forbidden");
  CHECK(code_of(post(moderator("news"), "/api/disconnect", R"({"room":"chat/1"})")) == "403 forbidden");
  for (const char* body : {R"({})", R"({"user":"a","room":"b"})", R"({"client":"1-1","user":"a"})"})
    CHECK(code_of(post(admin(), "/api/disconnect", body)) == "400 bad_request");
}

TEST_CASE_FIXTURE(Fixture, "POST /api/kick: out of one room, or closed where a client has only that") {
  auto& ada = open(user("ada"), "chat/1");
  auto& raw_ada = open(user("ada"), "chat/1", true);
  auto& elsewhere = open(user("ada"), "news");
  CHECK(post(moderator("chat/*"), "/api/kick", R"({"user":"ada","room":"chat/1","reason":"enough"})") ==
        R"(200 {"clients":2})");
  CHECK(ada.closes.empty());
  CHECK(ada.sent.find("removed from the room by a moderator: enough") != std::string::npos);
  CHECK(raw_ada.closes == std::vector{CloseReason::forbidden});
  CHECK(elsewhere.sent.empty());
  CHECK(rooms.subscribers("chat/1") == 0);
  CHECK(code_of(post(moderator("chat/*"), "/api/kick", R"({"user":"ada","room":"chat/1"})")) ==
        "404 not_found");
  CHECK(code_of(post(moderator("chat/*"), "/api/kick", R"({"user":"ada","room":"news"})")) ==
        "403 forbidden");
  CHECK(post(admin(), "/api/kick", R"({"address":"192.0.2.1","room":"news"})") == R"(202 {"clients":null})");
  settle();
  CHECK(rooms.subscribers("news") == 0);
  for (const char* body :
       {R"({"room":"a"})", R"({"user":"a"})", R"({"user":"a","address":"192.0.2.1","room":"a"})"})
    CHECK(code_of(post(admin(), "/api/kick", body)) == "400 bad_request");
}

TEST_CASE_FIXTURE(Fixture, "POST /api/subscribe and /api/unsubscribe: as if the user's clients had asked") {
  auto& ada = open(user("ada"), "chat/1");
  open(user("bob"), "chat/1", true);
  CHECK(post(admin(), "/api/subscribe", R"({"user":"ada","room":"news"})") == R"(200 {"clients":1})");
  settle();
  CHECK(ada.sent.find("news") != std::string::npos);
  CHECK(rooms.subscribers("news") == 1);
  CHECK(code_of(post(admin(), "/api/subscribe", R"({"user":"ada","room":"news"})")) == "400 bad_request");
  CHECK(code_of(post(admin(), "/api/subscribe", R"({"user":"bob","room":"news"})")) == "400 bad_request");
  CHECK(code_of(post(admin(), "/api/subscribe", R"({"user":"eve","room":"news"})")) == "404 not_found");
  CHECK(code_of(post(moderator("chat/*"), "/api/subscribe", R"({"user":"ada","room":"news"})")) ==
        "403 forbidden");
  CHECK(post(admin(), "/api/unsubscribe", R"({"user":"ada","room":"news"})") == R"(200 {"clients":1})");
  CHECK(rooms.subscribers("news") == 0);
  CHECK(code_of(post(admin(), "/api/unsubscribe", R"({"user":"ada","room":"news"})")) == "404 not_found");
  CHECK(code_of(post(admin(), "/api/unsubscribe", R"({"room":"news"})")) == "400 bad_request");
  CHECK(code_of(post(admin(), "/api/unsubscribe", R"({"user":"ada"})")) == "400 bad_request");
}

TEST_CASE_FIXTURE(Fixture, "POST /api/users/{user}/publish: to all clients of the user") {
  auto& ada = open(user("a/b"), "chat/1");
  auto& raw_ada = open(user("a/b"), "chat/1", true);
  auto& bob = open(user("bob"), "chat/1", true);
  content_type = "text/plain";
  CHECK(post(admin(), "/api/users/a%2Fb/publish", "hello") == R"(200 {"clients":2})");
  CHECK(ada.sent.find(R"("from":"root","user":"root")") != std::string::npos);
  CHECK(raw_ada.sent.find("hello") != std::string::npos);
  CHECK(bob.sent.empty());
  CHECK(post(admin(), "/api/users/joe/publish", "hello") == R"(200 {"clients":0})");
  CHECK(code_of(post(moderator("**"), "/api/users/bob/publish", "hello")) == "403 forbidden");
  CHECK(code_of(post(admin(), "/api/users/bob", "hello")) == "404 not_found");
  CHECK(code_of(post(admin(), "/api/users//publish", "hello")) == "404 not_found");
  CHECK(code_of(post(admin(), "/api/users/bob/publish", std::string(65'537, 'x'))) == "413 message_too_big");
  content_type = "application/json";
  CHECK(code_of(post(admin(), "/api/users/bob/publish", "{")) == "400 invalid_json");
}

TEST_CASE_FIXTURE(Fixture, "a ban is enforced on those who are connected") {
  auto& ada = open(user("ada"), "chat/1");
  auto& raw_ada = open(user("ada"), "chat/1", true);
  CHECK(post(admin(), "/api/bans", R"({"user":"ada","room":"chat/*","reason":"spam"})").starts_with("200 "));
  CHECK(ada.closes.empty());
  CHECK(ada.sent.find(R"("code":"banned")") != std::string::npos);
  CHECK(ada.sent.find("banned in chat/*: spam") != std::string::npos);
  CHECK(raw_ada.closes == std::vector{CloseReason::forbidden});
  CHECK(rooms.subscribers("chat/1") == 0);
  CHECK(post(admin(), "/api/bans", R"({"address":"192.0.2.1"})").starts_with("200 "));
  settle();
  CHECK(ada.closes == std::vector{CloseReason::forbidden});
}

TEST_CASE_FIXTURE(Fixture, "a revocation closes those who came with the token") {
  access::Profile profile;
  profile.id = "ada";
  profile.token_id = "t1";
  profile.issued_s = 1'600'000'000;
  auto& ada = open(access::Identity(std::move(profile)), "chat/1");
  auto& bob = open(user("bob"), "chat/1");
  CHECK(post(admin(), "/api/revoke", R"({"jti":"t1"})").starts_with("200 "));
  settle();
  CHECK(ada.closes == std::vector{CloseReason::unauthorized});
  CHECK(bob.closes.empty());
  CHECK(post(admin(), "/api/revoke", R"({"user":"bob"})").starts_with("200 "));
  CHECK(bob.closes == std::vector{CloseReason::unauthorized});
}

}  // namespace clients_test
