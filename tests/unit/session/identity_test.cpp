// Who a client is over the life of its session: authenticate, expiry, and rights that change.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "unit/session/identity_fixture.h"

namespace session_identity_test {

using namespace roomcast;
using access::Kind;
using access::Permission;
using test::FakeTransport;
using test::IdentityFixture;
using test::user;

namespace {

struct Fixture : IdentityFixture {
  /// Only users may be in rooms below `private`.
  Fixture() {
    set_rows({{"private/**", "user", access::PermissionSet::ordinary()},
              {"open/**", "anyone", access::PermissionSet::ordinary()}});
  }
};

constexpr std::string_view ada_token = R"({"type":"authenticate","id":1,"token":"ada"})";

}  // namespace

TEST_CASE_FIXTURE(Fixture, "identity: a client shows who it is before it joins anything") {
  auto& wire = open_json({});
  sent(wire);
  say(wire, R"({"type":"subscribe","id":1,"room":"private/a"})");
  CHECK(sent(wire) == R"((error:{"type":"error","id":1,"code":"unauthorized","message":)"
                      R"("no access rule lets anyone join in private/a"}))");
  say(wire, ada_token);
  CHECK(sent(wire) == R"((authenticated:{"type":"authenticated","id":1,"user":"ada","name":"Ada"}))");
  say(wire, R"({"type":"subscribe","id":2,"room":"private/a"})");
  CHECK(heard(wire) == "ok");
  CHECK(table.count_of_user(Kind::user, "ada") == 1);
  CHECK(only_of("ada").identity().name() == "Ada");
  CHECK_FALSE(wire.paused);
}

TEST_CASE_FIXTURE(Fixture,
                  "identity: a refused token changes nothing, and the error has the code of the refusal") {
  auto& wire = open_json({.identity = user("ada")});
  sent(wire);
  say(wire, R"({"type":"authenticate","id":7,"token":"stale"})");
  CHECK(sent(wire) ==
        R"((error:{"type":"error","id":7,"code":"token_expired","message":"token expired 312 s ago"}))");
  CHECK(table.count_of_user(Kind::user, "ada") == 1);
  CHECK(wire.closes.empty());
}

TEST_CASE_FIXTURE(Fixture, "identity: without an authenticator no token is taken") {
  table.set_authenticator(nullptr);
  auto& wire = open_json({});
  sent(wire);
  say(wire, ada_token);
  CHECK(wire.sent.find(R"("code":"unauthorized")") != std::string::npos);
  CHECK(wire.sent.find("auth.tokens") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "identity: an open session stays that of its user") {
  auto& wire = open_json({.room = "private/a", .identity = user("ada")});
  turn();
  sent(wire);
  SUBCASE("the same user refreshes") {
    say(wire, ada_token);
    CHECK(heard(wire) == "authenticated");
    CHECK(hub.subscribers("private/a") == 1);
  }
  SUBCASE("another one is refused") {
    say(wire, R"({"type":"authenticate","id":1,"token":"bob"})");
    CHECK(wire.sent.find(R"("code":"forbidden")") != std::string::npos);
    CHECK(table.count_of_user(Kind::user, "bob") == 0);
  }
  SUBCASE("a key of the same name is another one") {
    say(wire, R"({"type":"authenticate","id":1,"token":"key:ada"})");
    CHECK(wire.sent.find(R"("code":"forbidden")") != std::string::npos);
  }
  CHECK(table.count_of_user(Kind::user, "ada") == 1);
}

TEST_CASE_FIXTURE(Fixture, "identity: a key is told its name") {
  auto& wire = open_json({});
  sent(wire);
  say(wire, R"({"type":"authenticate","token":"key:ci"})");
  CHECK(sent(wire) == R"((authenticated:{"type":"authenticated","key":"ci","name":"ci"}))");
  CHECK(table.count_of_user(Kind::key, "ci") == 1);
  CHECK(table.count_of_user(Kind::user, "ci") == 0);
}

TEST_CASE_FIXTURE(Fixture, "identity: who has joined anonymously doesn't become a user in the room") {
  auto& wire = open_json({.room = "open/a"});
  turn();
  sent(wire);
  say(wire, ada_token);
  CHECK(wire.sent.find(R"("code":"already_subscribed")") != std::string::npos);
  SUBCASE("once it has left all rooms it does") {
    say(wire, R"({"type":"unsubscribe"})");
    sent(wire);
    say(wire, ada_token);
    CHECK(heard(wire) == "authenticated");
  }
}

TEST_CASE_FIXTURE(Fixture, "identity: what comes behind a token waits until that is known") {
  authenticator.holds = true;
  auto& wire = open_json({});
  sent(wire);
  say(wire, ada_token);
  CHECK(wire.paused);
  wire.events->on_drained();
  CHECK(wire.paused);
  CHECK(wire.sent.empty());
  authenticator.answer();
  CHECK_FALSE(wire.paused);
  CHECK(heard(wire) == "authenticated");
}

TEST_CASE_FIXTURE(Fixture, "identity: an answer that comes when the client has gone goes nowhere") {
  authenticator.holds = true;
  auto& wire = open_json({});
  say(wire, ada_token);
  SUBCASE("closing") { wire.events->on_closing(base::CloseReason::client_closed, ""); }
  SUBCASE("freed") {
    wire.events->on_closed(base::CloseReason::connection_lost);
    turn();
  }
  sent(wire);
  authenticator.answer();
  CHECK(wire.sent.empty());
  CHECK(table.count_of_user(Kind::user, "ada") == 0);
}

TEST_CASE_FIXTURE(Fixture, "identity: tokens can be tried as fast as requests can be made, and no faster") {
  access.rates.set_clock(clock);
  access::Rates::Limits limits;
  limits.address.at(static_cast<std::size_t>(access::Resource::requests)) = 1;
  limits.burst_ms = 2'000;
  access.rates.set_limits(limits);
  auto& wire = open_json({});
  sent(wire);
  for (int i = 0; i < 2; ++i) {
    say(wire, R"({"type":"authenticate","token":"stale"})");
    CHECK(sent(wire).find("token_expired") != std::string::npos);
  }
  say(wire, ada_token);
  CHECK(wire.sent.find("rate_limited") != std::string::npos);
  pass(1'000);
  sent(wire);
  say(wire, ada_token);
  CHECK(heard(wire) == "authenticated");
}

TEST_CASE_FIXTURE(Fixture,
                  "identity: the connections of a user are counted, also of one that comes by authenticate") {
  access::Rates::Limits limits;
  limits.connections_per_user = 2;
  access.rates.set_clock(clock);
  access.rates.set_limits(limits);
  auto& first = open_json({.identity = user("ada")});
  open_json({.identity = user("ada")});
  auto& third = open_json({});
  sent(third);
  say(third, ada_token);
  CHECK(heard(third) == "error");
  CHECK(table.count_of_user(Kind::user, "ada") == 2);
  first.events->on_closing(base::CloseReason::client_closed, "");
  first.events->on_closed(base::CloseReason::client_closed);  // counts once
  say(third, ada_token);
  CHECK(heard(third) == "authenticated");
  CHECK(table.check_connection(user("ada")).has_value());
}

// --- Rooms that need an identity ---

TEST_CASE_FIXTURE(Fixture, "identity: the room of the connection is joined after authenticate") {
  auto& wire = open_json({.room = "private/a", .interest = {std::nullopt, 5}, .admission_ms = 10'000});
  turn();
  CHECK(wire.sent.find(R"("authenticate_ms":10000)") != std::string::npos);
  CHECK(heard(wire) == "welcome");
  CHECK(hub.subscribers("private/a") == 0);
  SUBCASE("within its time") {
    pass(9'900);
    say(wire, ada_token);
    CHECK(hub.subscribers("private/a") == 1);
    turn();
    CHECK(heard(wire) == "authenticated ok");
    pass(60'000);
    CHECK(wire.closes.empty());
    CHECK(wire.events->held_bytes() < 400);  // nothing is left of the admission
  }
  SUBCASE("ping is answered before, nothing else is done") {
    say(wire, R"({"type":"ping"})");
    CHECK(heard(wire) == "pong");
    for (const char* type : {"subscribe", "publish", "history", "presence", "unsubscribe"}) {
      say(wire, std::string(R"({"type":")") + type + R"(","id":3,"room":"open/a","data":1})");
      CHECK(wire.sent.find(R"("id":3,"code":"unauthorized")") != std::string::npos);
      CHECK(heard(wire) == "error");
    }
    CHECK(wire.closes.empty());
    say(wire, ada_token);
    turn();
    CHECK(heard(wire) == "authenticated ok");
  }
  SUBCASE("a wrong token may be followed by a right one") {
    say(wire, R"({"type":"authenticate","token":"stale"})");
    CHECK(heard(wire) == "error");
    say(wire, ada_token);
    CHECK(hub.subscribers("private/a") == 1);
  }
  SUBCASE("too late it is closed") {
    pass(10'000);
    CHECK(wire.closes == std::vector{base::CloseReason::unauthorized});
    CHECK(wire.sent.find(R"("code":3000,"reason":"unauthorized")") != std::string::npos);
    CHECK(wire.sent.find("auth.authenticate_seconds") != std::string::npos);
  }
  SUBCASE("who may not be there either is closed") {
    say(wire, R"({"type":"authenticate","token":"key:ci"})");
    CHECK(wire.closes == std::vector{base::CloseReason::forbidden});
    CHECK(wire.sent.find("no access rule lets key:ci join in private/a") != std::string::npos);
    CHECK(hub.subscribers("private/a") == 0);
  }
}

// --- Expiry ---

TEST_CASE_FIXTURE(Fixture, "identity: a client is warned a minute before its token runs out, then closed") {
  auto& wire = open_json({.room = "private/a", .identity = user("ada", expires_in(600))});
  turn();
  sent(wire);
  // With auth.leeway_seconds: 60.
  pass_in_steps(599'900);
  CHECK(wire.sent.empty());
  pass(100);
  CHECK(sent(wire) == R"((expires:{"type":"expires","in_ms":60000}))");
  SUBCASE("without a refresh") {
    pass(59'900);
    CHECK(wire.closes.empty());
    pass(100);
    CHECK(wire.closes == std::vector{base::CloseReason::unauthorized});
    CHECK(wire.sent.find(R"("reason":"unauthorized","retry_ms":)") != std::string::npos);
    CHECK(wire.sent.find(R"("message":"token expired")") != std::string::npos);
    CHECK(hub.subscribers("private/a") == 0);
  }
  SUBCASE("refreshed it goes on") {
    authenticator.expires_s = expires_in(3'600);
    say(wire, ada_token);
    CHECK(sent(wire).find(R"("expires_in_ms":3660000)") != std::string::npos);
    pass_in_steps(3'599'900);
    CHECK(wire.sent.empty());
    pass(100);
    CHECK(heard(wire) == "expires");
    pass_in_steps(60'000);
    CHECK(wire.closes == std::vector{base::CloseReason::unauthorized});
  }
  SUBCASE("refreshed by one that never runs out it stays") {
    authenticator.expires_s = 0;
    say(wire, ada_token);
    CHECK(heard(wire) == "authenticated");
    pass_in_steps(10'000'000);
    CHECK(wire.closes.empty());
  }
}

TEST_CASE_FIXTURE(Fixture, "identity: a short life is warned of at its half") {
  settings.leeway_ms = 0;
  table.set_settings(settings);
  auto& wire = open_json({.identity = user("ada", expires_in(20))});
  turn();
  sent(wire);
  pass(9'900);
  CHECK(wire.sent.empty());
  pass(100);
  CHECK(sent(wire) == R"((expires:{"type":"expires","in_ms":10000}))");
  pass(10'000);
  CHECK(wire.closes.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "identity: where the client has no words for a refresh it is only closed") {
  auto& wire = open_raw({.room = "private/a", .identity = user("ada", expires_in(600))});
  pass_in_steps(659'900);
  CHECK(wire.sent.empty());
  CHECK(wire.closes.empty());
  pass(100);
  CHECK(wire.closes == std::vector{base::CloseReason::unauthorized});
}

TEST_CASE_FIXTURE(Fixture, "identity: an event stream says goodbye with the reason") {
  framing.named_events = true;
  auto& wire = open_raw({.room = "private/a", .identity = user("ada", expires_in(1))});
  turn();
  sent(wire);
  pass(61'000);
  CHECK(wire.sent.rfind(R"((bye:{"code":3000,"reason":"unauthorized","retry_ms":)", 0) == 0);
  CHECK(wire.sent.find(R"("message":"token expired"}))") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "identity: a wall clock that jumps is believed when the next check is due") {
  auto& wire = open_raw({.room = "private/a", .identity = user("ada", expires_in(600))});
  SUBCASE("back: it lives on") {
    clock.wall_now_ms -= 1'000'000;
    pass_in_steps(1'659'900);
    CHECK(wire.closes.empty());
    pass_in_steps(100);
  }
  SUBCASE("forward: it ends at the next check, five minutes later at most") {
    clock.wall_now_ms += 660'000;
    pass(299'000);
    CHECK(wire.closes.empty());
    pass(1'100);
  }
  CHECK(wire.closes == std::vector{base::CloseReason::unauthorized});
}

TEST_CASE_FIXTURE(Fixture, "identity: times that no clock reaches are no time at all") {
  for (const std::int64_t never : {std::int64_t{0}, std::int64_t{-1}, INT64_MAX, INT64_MAX / 1'000}) {
    auto& wire = open_json({.identity = user("ada", never)});
    pass_in_steps(1'000'000);
    CHECK(wire.closes.empty());
  }
}

TEST_CASE_FIXTURE(Fixture, "identity: nothing is due of a session that has ended") {
  auto& wire = open_raw({.room = "private/a", .identity = user("ada", expires_in(1))});
  wire.events->on_closing(base::CloseReason::client_closed, "");
  CHECK(table.count_of_user(Kind::user, "ada") == 0);
  pass(100'000);
  CHECK(wire.closes.empty());
}

}  // namespace session_identity_test
