// What the server does with sessions unasked: rights that change, sweeps over all, a user's clients, messages
// to them, rooms that they are put into.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "session/client_list.h"
#include "session/direct_message.h"
#include "unit/session/identity_fixture.h"

namespace rights_test {

using namespace roomcast;
using access::Kind;
using access::PermissionSet;
using base::Refusal;
using session::Session;
using test::FakeTransport;
using test::IdentityFixture;
using test::user;

namespace {

const access::Row everywhere{"**", "anyone", PermissionSet::ordinary()};

struct Fixture : IdentityFixture {
  /// Nobody but `who` may be in rooms below `a`.
  void close_rooms(const std::string& who = "user:nobody") {
    set_rows({{"a/**", who, PermissionSet::ordinary()}, {"b/**", "anyone", PermissionSet::ordinary()}});
    table.reconsider_rights();
  }
  session::DirectMessage hello{hub::Kind::text, base::Bytes::copy_of("hello"),
                               hub::Author("Bob", "user:bob")};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "rights: a client with requests leaves the rooms it may not be in, and is told") {
  auto& wire = open_json({.room = "a/home", .identity = user("ada")});
  for (const char* room : {"a/1", "b/1"})
    say(wire, std::string(R"({"type":"subscribe","room":")") + room + R"("})");
  turn();
  sent(wire);
  SUBCASE("lost") {
    close_rooms();
    turn();
    CHECK(wire.sent == R"((unsubscribed:{"type":"unsubscribed","room":"a/home","code":"forbidden","message":)"
                       R"("no access rule lets user:ada join in a/home"}))"
                       R"((unsubscribed:{"type":"unsubscribed","room":"a/1","code":"forbidden","message":)"
                       R"("no access rule lets user:ada join in a/1"}))");
    CHECK(wire.closes.empty());
    CHECK(hub.subscribers("a/home") == 0);
    CHECK(hub.subscribers("a/1") == 0);
    CHECK(hub.subscribers("b/1") == 1);
    sent(wire);
    say(wire, R"({"type":"subscribe","id":1})");  // its home, still
    CHECK(wire.sent.find("a/home") != std::string::npos);
    CHECK(heard(wire) == "error");
    hub.publish("b/1", {hub::Kind::text, base::Bytes::copy_of("x"), {}, 0});
    CHECK(heard(wire) == "message");
  }
  SUBCASE("kept") {
    close_rooms("user:ada");
    turn();
    CHECK(wire.sent.empty());
    CHECK(hub.subscribers("a/home") == 1);
  }
}

TEST_CASE_FIXTURE(Fixture, "rights: a client without requests is closed") {
  auto& known = open_raw({.room = "a/1", .identity = user("ada")});
  auto& unknown = open_raw({.room = "a/1"});
  auto& elsewhere = open_raw({.room = "b/1"});
  turn();
  close_rooms();
  turn();
  CHECK(known.closes == std::vector{base::CloseReason::forbidden});
  CHECK(unknown.closes == std::vector{base::CloseReason::unauthorized});
  CHECK(elsewhere.closes.empty());
}

TEST_CASE_FIXTURE(Fixture, "rights: a subscribe that is still to be answered is answered with the refusal") {
  engine.hold_rooms = true;
  auto& wire = open_json({});
  say(wire, R"({"type":"subscribe","id":1,"room":"a/1"})");
  turn();
  sent(wire);
  close_rooms();
  turn();
  CHECK(wire.sent.rfind(R"((error:{"type":"error","id":1,"code":"unauthorized")", 0) == 0);
  CHECK(heard(wire) == "error");
  engine.events().on_subscribed("a/1", hub::LogState({1, 0}));
  CHECK(heard(wire).empty());
}

TEST_CASE_FIXTURE(Fixture, "rights: a refresh with fewer rights counts at once") {
  set_rows({{"a/**", "role:guest", PermissionSet::ordinary()}, everywhere});
  access::Profile guest;
  guest.id = "ada";
  guest.roles = {"guest"};
  set_rows(
      {{"a/**", "role:guest", PermissionSet::ordinary()}, {"b/**", "anyone", PermissionSet::ordinary()}});
  auto& wire = open_json({.room = "a/1", .identity = access::Identity(std::move(guest))});
  turn();
  sent(wire);
  say(wire, R"({"type":"authenticate","token":"ada"})");
  CHECK(heard(wire) == "authenticated unsubscribed");
  CHECK(hub.subscribers("a/1") == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "rights: a thousand clients are reconsidered in slices, new ones by the new rules") {
  constexpr int clients = 1'000;
  for (int i = 0; i < clients; ++i) {
    if (i % 2 == 0) {
      open_raw({.room = i % 4 == 0 ? "a/1" : "b/1", .identity = user("user" + std::to_string(i))});
    } else {
      open_json({.room = i % 4 == 1 ? "a/1" : "b/1"});
    }
  }
  turn();
  clock.us_between_looks = 100;  // a slice of half a millisecond is over after a few looks
  close_rooms();
  scheduler.flush_deferred();
  CHECK(scheduler.deferred() == 1);
  CHECK(hub.subscribers("a/1") > 400);
  // One that comes while it goes on is refused by the new rules, as the door does.
  CHECK(service.check_join({}, "a/1").has_value());
  close_rooms();  // again, in the middle
  int slices = 1;
  for (; scheduler.deferred() > 0; ++slices)
    scheduler.flush_deferred();
  CHECK(slices > 20);
  CHECK(hub.subscribers("a/1") == 0);
  CHECK(hub.subscribers("b/1") == clients / 2);
  int closed = 0;
  for (const auto& wire : wires)
    closed += wire->closes.empty() ? 0 : 1;
  CHECK(closed == clients / 4);
}

TEST_CASE_FIXTURE(Fixture, "rights: rules that change during a sweep apply to those it has passed, too") {
  for (int i = 0; i < 100; ++i)
    open_raw({.room = "a/1"});
  turn();
  clock.us_between_looks = 1'000;
  set_rows({everywhere});
  table.reconsider_rights();
  scheduler.flush_deferred();
  close_rooms();
  turn();
  CHECK(hub.subscribers("a/1") == 0);
}

TEST_CASE_FIXTURE(Fixture, "sweep: visits every session once, also where some go meanwhile") {
  for (int i = 0; i < 50; ++i)
    open_raw({.room = "a/1", .identity = user("user" + std::to_string(i % 10))});
  turn();
  std::vector<std::string> visited;
  table.sweep([&](Session& session) {
    visited.emplace_back(session.identity().id());
    session.close(Refusal{Refusal::Code::banned, "banned"});
  });
  table.sweep([&](Session& /*session*/) { FAIL("all of them are closing"); });
  turn();
  CHECK(visited.size() == 50);
  for (const auto& wire : wires)
    CHECK(wire->closes == std::vector{base::CloseReason::forbidden});
}

TEST_CASE_FIXTURE(Fixture, "sweep: those that a check refuses are closed") {
  auto& ada = open_raw({.identity = user("ada")});
  auto& bob = open_raw({.identity = user("bob")});
  table.close_if([](const Session& session) -> std::optional<Refusal> {
    if (session.identity().id() == "bob") return Refusal{Refusal::Code::token_revoked, "token revoked"};
    return std::nullopt;
  });
  turn();
  CHECK(ada.closes.empty());
  CHECK(bob.closes == std::vector{base::CloseReason::unauthorized});
}

TEST_CASE_FIXTURE(Fixture, "user: all clients of a user can be closed from within a visit") {
  for (int i = 0; i < 5; ++i)
    open_raw({.identity = user("ada")});
  auto& bob = open_raw({.identity = user("bob")});
  table.for_user(Kind::user, "ada",
                 [](Session& session) { session.close(base::CloseReason::forbidden, "out"); });
  CHECK(table.count_of_user(Kind::user, "ada") == 0);
  CHECK(table.count_of_user(Kind::user, "bob") == 1);
  CHECK(bob.closes.empty());
}

// --- Messages to a user ---

TEST_CASE_FIXTURE(Fixture, "direct: all of a user's clients get it, each in its dialect") {
  auto& v1 = open_json({.identity = user("ada")});
  auto& raw_client = open_raw({.identity = user("ada")});
  auto& bob = open_raw({.identity = user("bob")});
  turn();
  sent(v1);
  CHECK(table.send_to_user("ada", hello) == 2);
  CHECK(v1.sent == R"((direct:{"type":"direct","from":"Bob","user":"bob","data":"hello"}))");
  CHECK(raw_client.sent == "(direct:hello)");  // a wire that names no events leaves the name out
  CHECK(bob.sent.empty());
  CHECK(table.send_to_user("eve", hello) == 0);
}

TEST_CASE_FIXTURE(Fixture, "direct: not before the client is in, nor behind its end") {
  auto& opening = open_json({.room = "a/1", .admission_ms = 1'000});
  auto& ended = open_raw({.identity = user("ada")});
  ended.events->on_closing(base::CloseReason::client_closed, "");
  sent(opening);
  CHECK(table.send_to_user("ada", hello) == 0);
  table.sweep([&](Session& session) { CHECK_FALSE(session.send_direct(hello)); });
  turn();
  CHECK(opening.sent.empty());
  CHECK(ended.sent.empty());
}

// --- Rooms from the server's side ---

TEST_CASE_FIXTURE(Fixture, "server: puts a client into a room and takes it out, and tells it") {
  auto& wire = open_json({.identity = user("ada")});
  turn();
  sent(wire);
  Session& session = only_of("ada");
  CHECK_FALSE(session.subscribe_from_server("b/1").has_value());
  turn();
  CHECK(wire.sent.rfind(R"((subscribed:{"type":"subscribed","room":"b/1","cursor":")", 0) == 0);
  CHECK(heard(wire) == "subscribed");
  hub.publish("b/1", {hub::Kind::text, base::Bytes::copy_of("x"), {}, 0});
  CHECK(heard(wire) == "message");
  CHECK(session.subscribe_from_server("b/1")->code == Refusal::Code::already_subscribed);
  CHECK(session.is_in("b/1"));
  CHECK(session.room_names() == std::vector<std::string_view>{"b/1"});
  CHECK(session.unsubscribe_from_server("b/1", {Refusal::Code::forbidden, "kicked"}));
  CHECK(sent(wire) ==
        R"((unsubscribed:{"type":"unsubscribed","room":"b/1","code":"forbidden","message":"kicked"}))");
  CHECK_FALSE(session.unsubscribe_from_server("b/1", {Refusal::Code::forbidden, "kicked"}));
  CHECK(hub.subscribers("b/1") == 0);
}

TEST_CASE_FIXTURE(Fixture, "server: a client is put only where it may be, and in so many rooms") {
  settings.rooms_per_connection = 2;
  table.set_settings(settings);
  set_rows({{"b/**", "user", PermissionSet::ordinary()}});
  open_json({.room = "b/home", .identity = user("ada")});
  Session& session = only_of("ada");
  CHECK(session.subscribe_from_server("a/1")->code == Refusal::Code::forbidden);
  CHECK(session.subscribe_from_server("/")->code == Refusal::Code::bad_room_name);
  CHECK_FALSE(session.subscribe_from_server("b/1").has_value());
  CHECK(session.subscribe_from_server("b/2")->code == Refusal::Code::too_many_rooms);
}

TEST_CASE_FIXTURE(Fixture, "server: a raw client is in its one room or not at all") {
  auto& wire = open_raw({.room = "b/1", .identity = user("ada")});
  turn();
  Session& session = only_of("ada");
  CHECK(session.subscribe_from_server("b/2")->code == Refusal::Code::bad_request);
  CHECK_FALSE(session.unsubscribe_from_server("b/2", {Refusal::Code::forbidden, "kicked"}));
  CHECK(session.unsubscribe_from_server("b/1", {Refusal::Code::forbidden, "kicked"}));
  CHECK(wire.closes == std::vector{base::CloseReason::forbidden});
}

// --- The list of clients ---

TEST_CASE_FIXTURE(Fixture, "clients: are listed page by page, by user, address and room") {
  for (int i = 0; i < 5; ++i)
    open_raw({.room = "a/1", .identity = user(i < 3 ? "ada" : "bob")});
  auto& last = open_json({});
  say(last, R"({"type":"subscribe","room":"b/1"})");
  turn();
  const auto page = session::list_clients(table, {}, 0, 4);
  CHECK(page.clients.size() == 4);
  CHECK(page.next == 4);
  CHECK(session::list_clients(table, {}, 4, 4).clients.size() == 2);
  CHECK_FALSE(session::list_clients(table, {}, 4, 4).next.has_value());
  CHECK(session::list_clients(table, {}, 1'000'000, 4).clients.empty());

  const session::ClientFilter of_ada{{{Kind::user, "ada"}}};
  CHECK(session::list_clients(table, of_ada, 0, 10).clients.size() == 3);
  const auto first = session::list_clients(table, of_ada, 0, 2);
  CHECK(first.clients.size() == 2);
  CHECK(session::list_clients(table, of_ada, *first.next, 2).clients.size() == 1);
  CHECK_FALSE(session::list_clients(table, of_ada, 0, 3).next.has_value());

  session::ClientFilter filter;
  filter.room = "b/1";
  const auto in_room = session::list_clients(table, filter, 0, 10).clients;
  REQUIRE(in_room.size() == 1);
  const Session& client = *table.find(in_room[0]);
  CHECK(client.address() == "192.0.2.1");
  CHECK(client.transport().name() == "fake");
  CHECK(client.dialect_name() == "json");
  CHECK(client.identity().is_anonymous());
  filter = {};
  filter.address = *base::AddressBlock::parse("192.0.2.2");
  CHECK(session::list_clients(table, filter, 0, 10).clients.empty());
  filter.address = *base::AddressBlock::parse("192.0.2.0/24");
  CHECK(session::list_clients(table, filter, 0, 10).clients.size() == 6);
}

TEST_CASE_FIXTURE(Fixture, "clients: a page looks at so many at most, and says where to go on") {
  for (int i = 0; i < 3'000; ++i)
    open_raw({});
  session::ClientFilter nobody;
  nobody.room = "a/1";
  const auto page = session::list_clients(table, nobody, 0, 10);
  CHECK(page.clients.empty());
  REQUIRE(page.next.has_value());
  CHECK_FALSE(session::list_clients(table, nobody, *page.next, 10).next.has_value());
}

}  // namespace rights_test
