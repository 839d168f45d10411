#include "session/session.h"
#include "part/settings.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "base/log.h"
#include "dialect/dialect.h"
#include "session/session_table.h"
#include "support/fake_transport.h"
#include "support/hub_fixture.h"

namespace session_test {

using namespace roomcast;
using test::FakeTransport;

namespace {

/// Publishes whatever it is sent, except for a few words.
class WordDialect final : public dialect::Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "word"; }
  void decode(dialect::PayloadForm form, std::string_view bytes,
              dialect::CommandHandler& handler) const override {
    if (bytes == "reply") return handler.reply(form, "only you");
    if (bytes == "fail") return handler.fail(base::CloseReason::invalid_data, "no such word");
    handler.publish(form == dialect::PayloadForm::text ? hub::Kind::text : hub::Kind::binary, bytes);
  }
  void encode(std::string_view /*room*/, const hub::Message& message,
              dialect::PayloadWriter& out) const override {
    dialect::write_verbatim(message, out);
  }
  [[nodiscard]] bool has_envelope() const override { return false; }
  bool encode(const dialect::Event& /*event*/, dialect::PayloadWriter& /*out*/) const override {
    return false;
  }
};

struct Fixture : test::HubFixture<> {
  Fixture() : HubFixture(test::small_backlog(2'048 + 1'034)) {}
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() {
    // The sessions that are left are freed before the wires that their transports refer to.
    table.abort_all();
    turn();
  }

  FakeTransport::Wire& join(std::string_view room, bool own_messages = true) {
    wires.push_back(std::make_unique<FakeTransport::Wire>());
    table.open(std::make_unique<FakeTransport>(*wires.back(), framing), dialect, {room, "", own_messages});
    return *wires.back();
  }

  std::vector<std::unique_ptr<FakeTransport::Wire>> wires;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  test::BracketFraming framing;
  WordDialect dialect;
  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms service{hub, publisher, access, part::service_limits({})};
  session::SessionTable table{service, scheduler, clock, log, deadlines, part::session_settings({})};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "session: what one sends everybody in the room gets, the sender included") {
  auto& ada = join("lobby");
  auto& bob = join("lobby");
  auto& eve = join("attic");
  ada.events->on_message(dialect::PayloadForm::text, "hi");
  bob.events->on_message(dialect::PayloadForm::binary, "yo");
  turn();
  CHECK(ada.sent == "(t:hi)(b:yo)");
  CHECK(bob.sent == "(t:hi)(b:yo)");
  CHECK(eve.sent.empty());
  CHECK(engine.sources == std::vector(2, hub::source_of("192.0.2.1")));
}

TEST_CASE_FIXTURE(Fixture, "session: of removed messages nothing is sent, whoever sent what is around them") {
  hub.set_limits(part::hub_limits({}));
  auto& ada = join("lobby", false);
  auto& bob = join("lobby");
  for (const char* word : {"1", "2", "3"})
    bob.events->on_message(dialect::PayloadForm::text, word);
  ada.events->on_message(dialect::PayloadForm::text, "4");
  hub.remove("lobby", {1, 1}, {});
  hub.remove("lobby", {1, 4}, {});
  turn();
  CHECK(ada.sent == "(t:2)(t:3)");
  CHECK(bob.sent == "(t:2)(t:3)");
  bob.events->on_message(dialect::PayloadForm::text, "5");
  hub.clear("lobby", {});
  turn();
  CHECK(bob.sent == "(t:2)(t:3)");  // and this dialect has no words for it
}

TEST_CASE_FIXTURE(Fixture,
                  "session: a publisher that can't be answered is closed when its message came to nothing") {
  engine.may_refuse = true;
  engine.hold_answers = true;
  auto& ada = join("lobby");
  ada.events->on_message(dialect::PayloadForm::text, "1");
  ada.events->on_message(dialect::PayloadForm::text, "2");
  REQUIRE(engine.held.size() == 2);
  engine.events().on_published(engine.held[0], hub::Published{hub::Position{1, 1}});
  turn();
  CHECK(ada.closes.empty());
  engine.events().on_published(engine.held[1], hub::Refusal{hub::Refusal::Code::timed_out, "late"});
  turn();
  CHECK(ada.closes == std::vector{base::CloseReason::unavailable});
}

TEST_CASE_FIXTURE(Fixture, "session: what a disk refuses closes a raw client so that it comes back") {
  using Code = hub::Refusal::Code;
  engine.may_refuse = true;
  engine.hold_answers = true;
  for (const Code code : {Code::store_busy, Code::store_full, Code::store_failed, Code::store_timeout}) {
    auto& ada = join("lobby");
    ada.events->on_message(dialect::PayloadForm::text, "1");
    engine.events().on_published(engine.held.back(), hub::Refusal{code, "the disk"});
    turn();
    CHECK(ada.closes == std::vector{base::CloseReason::unavailable});
  }
}

TEST_CASE_FIXTURE(Fixture, "session: at its end it knows whether something of its own is still to come") {
  auto& first = join("lobby");
  for (int i = 0; i < 300; ++i)
    join("lobby");
  auto& deaf = join("lobby", false);
  auto& last = join("lobby");
  turn();
  CHECK_FALSE(last.events->awaits_own_messages());
  last.events->on_message(dialect::PayloadForm::text, "bye");
  deaf.events->on_message(dialect::PayloadForm::text, "bye");
  CHECK(last.events->awaits_own_messages());
  CHECK_FALSE(first.events->awaits_own_messages());
  CHECK_FALSE(deaf.events->awaits_own_messages());
  hub.do_slice();
  CHECK(last.events->awaits_own_messages());
  first.events->on_message(dialect::PayloadForm::text, "not waited for");
  while (last.sent.empty())
    hub.do_slice();
  CHECK_FALSE(last.events->awaits_own_messages());
  CHECK(last.sent == "(t:bye)(t:bye)");
}

TEST_CASE_FIXTURE(Fixture, "session: own messages are left out where the client asked for that, in any mix") {
  auto& ada = join("lobby", false);
  auto& bob = join("lobby");
  for (const char* word : {"1", "2"})
    ada.events->on_message(dialect::PayloadForm::text, word);
  for (const char* word : {"3", "4"})
    bob.events->on_message(dialect::PayloadForm::text, word);
  ada.events->on_message(dialect::PayloadForm::text, "5");
  bob.events->on_message(dialect::PayloadForm::text, "6");
  turn();
  CHECK(ada.sent == "(t:3)(t:4)(t:6)");
  CHECK(bob.sent == "(t:1)(t:2)(t:3)(t:4)(t:5)(t:6)");
}

TEST_CASE_FIXTURE(Fixture, "session: a reply goes to one client, at once and framed") {
  auto& ada = join("lobby");
  auto& bob = join("lobby");
  ada.events->on_message(dialect::PayloadForm::text, "reply");
  CHECK(ada.sent == "(t:only you)");
  turn();
  CHECK(bob.sent.empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "session: a client that breaks the dialect is closed, leaves its room and is freed") {
  auto& ada = join("lobby");
  ada.events->on_message(dialect::PayloadForm::text, "fail");
  REQUIRE(ada.closes.size() == 1);
  CHECK(ada.closes[0] == base::CloseReason::invalid_data);
  CHECK(hub.subscribers("lobby") == 0);
  ada.events->on_message(dialect::PayloadForm::text, "too late");
  turn();
  CHECK(table.size() == 1);  // until the transport has said its goodbyes
  ada.events->on_closed(base::CloseReason::invalid_data);
  CHECK_FALSE(ada.destroyed);  // not in its own callback
  CHECK(table.size() == 0);
  turn();
  CHECK(ada.destroyed);
  CHECK(table.stats().closed[static_cast<std::size_t>(base::CloseReason::invalid_data)] == 1);
}

TEST_CASE_FIXTURE(Fixture, "session: without a room there is nothing to publish to") {
  auto& ada = join("");
  ada.events->on_message(dialect::PayloadForm::text, "hello?");
  REQUIRE(ada.closes.size() == 1);
  CHECK(ada.closes[0] == base::CloseReason::policy_violation);
}

TEST_CASE_FIXTURE(Fixture, "session: a publisher is paused while the hub is congested and resumed after") {
  auto& ada = join("lobby");
  ada.events->on_message(dialect::PayloadForm::text,
                         "0123456789");                     // exactly the backlog limit of this fixture
  ada.events->on_message(dialect::PayloadForm::text, "x");  // and one message too many
  CHECK_FALSE(ada.paused);
  ada.events->on_message(dialect::PayloadForm::text, "y");
  CHECK(ada.paused);
  turn();
  CHECK_FALSE(ada.paused);
  CHECK(ada.closes.empty());
  CHECK(ada.sent == "(t:0123456789)(t:x)(t:y)");
}

TEST_CASE_FIXTURE(Fixture, "session: while memory is short a publisher waits, and not for ever") {
  auto& ada = join("lobby");
  hub.set_overloaded(true);
  ada.events->on_message(dialect::PayloadForm::text, "x");
  turn();
  CHECK(ada.paused);
  CHECK(ada.closes.empty());
  SUBCASE("memory suffices again") {
    hub.set_overloaded(false);
    turn();
    CHECK_FALSE(ada.paused);
    CHECK(ada.sent == "(t:x)");
  }
  SUBCASE("it does not") {
    clock.advance(11'000);
    deadlines.sweep();
    turn();
    REQUIRE(ada.closes.size() == 1);
    CHECK(ada.closes[0] == base::CloseReason::overloaded);
  }
}

TEST_CASE_FIXTURE(
    Fixture, "session: one who is busy with what it was sent holds a burst up until it has got rid of it") {
  auto& ada = join("lobby");
  turn();
  ada.events->on_congested();
  CHECK(ada.wants_drained);
  hub.set_limits(part::hub_limits({}));
  const std::string page(part::hub_limits({}).page_bytes, 'x');
  for (int i = 0; i < 2; ++i)
    hub.publish("lobby", {hub::Kind::text, base::Bytes::copy_of(page), {}});
  hub.publish("lobby", {hub::Kind::text, base::Bytes::copy_of(page), {}});
  turn();
  CHECK(ada.sent.empty());
  ada.events->on_drained();
  turn();
  CHECK(ada.sent.size() > 3 * page.size());
}

TEST_CASE_FIXTURE(Fixture, "session: what only it is answered is not piled up: its next message waits") {
  auto& ada = join("lobby");
  ada.events->on_message(dialect::PayloadForm::text, "reply");
  CHECK_FALSE(ada.paused);
  ada.queued = 200'000;
  ada.events->on_message(dialect::PayloadForm::text, "reply");
  CHECK(ada.paused);
  CHECK(ada.wants_drained);
}

TEST_CASE_FIXTURE(Fixture, "session table: draining closes a few at a time, each once") {
  for (int i = 0; i < 5; ++i)
    join("lobby");
  CHECK(table.close_some(2, base::CloseReason::server_shutdown) == 2);
  CHECK(table.close_some(2, base::CloseReason::server_shutdown) == 2);
  CHECK(table.close_some(2, base::CloseReason::server_shutdown) == 1);
  CHECK(table.close_some(2, base::CloseReason::server_shutdown) == 0);
  for (const auto& wire : wires)
    CHECK(wire->closes.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "session table: aborting ends all without a word") {
  auto& ada = join("lobby");
  table.abort_all();
  CHECK(ada.aborted);
  CHECK(table.size() == 0);
  CHECK(hub.subscribers("lobby") == 0);
  turn();
  CHECK(ada.destroyed);
}

}  // namespace session_test
