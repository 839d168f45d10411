// What a client hears of who comes and goes.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "dialect/json.h"
#include "dialect/raw.h"
#include "part/settings.h"
#include "session/session_table.h"
#include "support/fake_transport.h"
#include "support/hub_fixture.h"

namespace session_presence_test {

using namespace roomcast;
using test::FakeTransport;

namespace {

struct Fixture : test::HubFixture<> {
  using Wire = FakeTransport::Wire;

  Fixture() = default;
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() {
    // The sessions that are left are freed before the wires that their transports refer to.
    table.abort_all();
    turn();
  }

  Wire& open(const dialect::Dialect& dialect, const session::Options& options) {
    Wire& wire = *wires.emplace_back(std::make_unique<Wire>());
    table.open(std::make_unique<FakeTransport>(wire, framing), dialect, options);
    turn();
    return wire;
  }
  /// In the lobby, over a wire that only listens.
  Wire& join(std::string_view name, bool watches, const dialect::Dialect& dialect) {
    hub::Interest interest;
    interest.watch_presence = watches;
    return open(dialect, {"lobby", name, true, interest, false});
  }
  void ask(Wire& wire, std::string_view request) {
    wire.events->on_message(dialect::PayloadForm::text, request);
    turn();
  }
  void leave(Wire& wire) {
    wire.events->on_closed(base::CloseReason::client_closed);
    turn();
  }
  static std::string told(Wire& wire) { return std::exchange(wire.sent, {}); }

  std::vector<std::unique_ptr<Wire>> wires;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  test::BracketFraming framing;
  dialect::Json json;
  dialect::Raw raw;
  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms service{hub, publisher, access, part::service_limits({})};
  session::SessionTable table{service, scheduler, clock, log, deadlines, part::session_settings({})};
};

}  // namespace

TEST_CASE_FIXTURE(
    Fixture, "session presence: the ok of a watcher says who is here, then it hears who comes and goes") {
  framing.named_events = true;
  auto& ada = join("ada", true, json);
  CHECK(told(ada) == R"((ok:{"type":"ok","room":"lobby","cursor":"0000000000000001-0",)"
                     R"("presence":{"count":1,"members":[{"name":"ada"}],"anonymous":0}}))");
  auto& bob = join("bob", false, json);
  CHECK(told(bob) == R"((ok:{"type":"ok","room":"lobby","cursor":"0000000000000001-0"}))");
  CHECK(told(ada) == R"((join:{"type":"join","room":"lobby","member":{"name":"bob"}}))");
  leave(bob);
  CHECK(told(ada).empty());
  pass(3'000);
  CHECK(told(ada) == R"((leave:{"type":"leave","room":"lobby","member":{"name":"bob"}}))");
  CHECK(told(bob).empty());
}

TEST_CASE_FIXTURE(Fixture, "session presence: a watcher whose ok is a gap is told who is here after it") {
  hub::Interest interest{hub::Position{9, 9}, std::nullopt};
  interest.watch_presence = true;
  auto& late = open(json, {"lobby", "", true, interest, false});
  CHECK(late.sent.find(R"({"type":"gap",)") != std::string::npos);
  const std::string_view list = R"({"type":"presence","room":"lobby","count":1,"members":[],"anonymous":1})";
  CHECK(late.sent.find(list) > late.sent.find(R"({"type":"gap",)"));
  CHECK(late.sent.find(list) != std::string::npos);
}

TEST_CASE_FIXTURE(
    Fixture, "session presence: a list of many names comes at the end of the turn, a short one at once") {
  const std::string_view request = R"({"type":"presence","id":1,"room":"lobby"})";
  auto& asker = open(json, {"", "", true, {}, true});
  for (int i = 0; i < 64; ++i)
    join("member " + std::to_string(i), false, raw);
  (void)told(asker);
  asker.events->on_message(dialect::PayloadForm::text, request);
  CHECK(told(asker).find(R"("count":64)") != std::string::npos);
  CHECK_FALSE(asker.paused);
  join("one more", false, raw);
  asker.events->on_message(dialect::PayloadForm::text, request);
  CHECK(told(asker).empty());
  CHECK(asker.paused);
  turn();
  const std::string list = told(asker);
  CHECK(list.find(R"("count":65)") != std::string::npos);
  CHECK(list.find(R"({"name":"one more"})") != std::string::npos);
  asker.events->on_drained();
  turn();
  CHECK_FALSE(asker.paused);
}

TEST_CASE_FIXTURE(Fixture, "session presence: raw clients count, and hear nothing of it") {
  auto& watcher = join("", true, json);
  (void)told(watcher);
  auto& ada = join("ada", true, raw);
  CHECK(told(watcher) == R"((join:{"type":"join","room":"lobby","member":{"name":"ada"}}))");
  auto& bob = join("bob", false, raw);
  leave(bob);
  pass(3'000);
  CHECK(ada.sent.empty());
  CHECK(ada.closes.empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "session presence: subscribe asks for it room by room, and a client has its name in each") {
  auto& ada = open(json, {"", "ada", true, {}, true});
  auto& bob = open(json, {"", "bob", true, {}, true});
  ask(ada, R"({"type":"subscribe","id":1,"room":"a","presence":true})");
  ask(ada, R"({"type":"subscribe","id":2,"room":"b"})");
  CHECK(ada.sent.find(R"({"type":"ok","id":1,"room":"a","cursor":"0000000000000001-0",)"
                      R"("presence":{"count":1,"members":[{"name":"ada"}],"anonymous":0}})") !=
        std::string::npos);
  (void)told(ada);
  ask(bob, R"({"type":"subscribe","room":"a"})");
  ask(bob, R"({"type":"subscribe","room":"b"})");
  CHECK(told(ada) == R"((join:{"type":"join","room":"a","member":{"name":"bob"}}))");
  (void)told(bob);
  ask(bob, R"({"type":"presence","id":"p","room":"b"})");
  CHECK(told(bob) == R"((ok:{"type":"ok","id":"p","room":"b","presence":)"
                     R"({"count":2,"members":[{"name":"ada"},{"name":"bob"}],"anonymous":0}}))");
}

TEST_CASE_FIXTURE(Fixture,
                  "session presence: who subscribes without an id is told who is here all the same") {
  auto& ada = open(json, {"", "ada", true, {}, true});
  (void)told(ada);
  ask(ada, R"({"type":"subscribe","room":"a","presence":true})");
  CHECK(told(ada) ==
        R"((presence:{"type":"presence","room":"a","count":1,"members":[{"name":"ada"}],"anonymous":0}))");
}

TEST_CASE_FIXTURE(Fixture,
                  "session presence: who unsubscribes hears no more of the room, and leaves it for others") {
  auto& ada = open(json, {"lobby", "ada", true, {}, true});
  auto& bob = open(json, {"", "bob", true, {}, true});
  ask(bob, R"({"type":"subscribe","room":"lobby","presence":true})");
  ask(ada, R"({"type":"unsubscribe"})");
  (void)told(bob);
  pass(3'000);
  CHECK(told(bob) == R"((leave:{"type":"leave","room":"lobby","member":{"name":"ada"}}))");
  ask(bob, R"({"type":"unsubscribe","room":"lobby"})");
  (void)told(bob);
  (void)join("cy", false, raw);
  pass(3'000);
  CHECK(told(bob).empty());
}

TEST_CASE_FIXTURE(Fixture, "session presence: a crowd is told as a number, and its end as a list") {
  hub.set_rules(hub::RoomRules({part::room_settings({}).history, {3'000, 2}}));
  auto& ada = join("ada", true, json);
  (void)join("", false, raw);
  auto& last = join("", false, raw);
  (void)std::exchange(last.sent, {});
  CHECK(ada.sent.ends_with(R"((presence:{"type":"presence","room":"lobby","count":3}))"));
  (void)told(ada);
  leave(last);
  pass(1'000);
  CHECK(
      told(ada) ==
      R"((presence:{"type":"presence","room":"lobby","count":2,"members":[{"name":"ada"}],"anonymous":1}))");
}

}  // namespace session_presence_test
