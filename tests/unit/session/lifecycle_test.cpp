// Sessions of dialects that keep state for each client: conversation, admission, heartbeat, close codes.
#include "session/lifecycle.h"
#include "part/settings.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "service/rooms.h"
#include "session/session_table.h"
#include "support/fake_transport.h"
#include "support/hub_fixture.h"

namespace lifecycle_test {

using namespace roomcast;
using dialect::Heartbeat;
using dialect::PayloadForm;
using test::FakeTransport;

namespace {

/// Numbers what the client says and what it is sent; some messages are commands.
class NumberingConversation final : public dialect::Conversation {
 public:
  void start(dialect::CommandHandler& handler) override { handler.reply(PayloadForm::text, "hello"); }
  void decode(PayloadForm form, std::string_view bytes, dialect::CommandHandler& handler) override {
    if (bytes == "pong") return handler.heartbeat_answered();
    if (bytes == "leave") return handler.leave();
    if (bytes.rfind("admit ", 0) == 0) return handler.admit(bytes.substr(6));
    if (bytes == "ask") return handler.run(dialect::Ping{"1"});
    ++received_;
    handler.publish(form == PayloadForm::text ? hub::Kind::text : hub::Kind::binary,
                    std::to_string(received_) + "=" + std::string(bytes));
  }
  bool encode(const dialect::Event& event, dialect::PayloadWriter& out) override {
    out.write(PayloadForm::text, std::to_string(++sent_), true);
    out.write(PayloadForm::binary, std::string(dialect::name_of(event)));
    return true;
  }
  [[nodiscard]] std::size_t held_bytes() const override { return 1'000; }

 private:
  int received_ = 0;
  int sent_ = 0;
};

/// Has an envelope, a conversation for each client and close codes of its own.
class NumberingDialect final : public dialect::Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "numbering"; }
  [[nodiscard]] std::unique_ptr<dialect::Conversation> start_conversation() const override {
    return std::make_unique<NumberingConversation>();
  }
  void decode(PayloadForm /*form*/, std::string_view /*bytes*/,
              dialect::CommandHandler& /*handler*/) const override {
    FAIL("the conversation decodes");
  }
  void encode(std::string_view /*room*/, const hub::Message& message,
              dialect::PayloadWriter& out) const override {
    ++messages_encoded;
    dialect::write_verbatim(message, out);
  }
  bool encode(const dialect::Event& /*event*/, dialect::PayloadWriter& /*out*/) const override {
    return false;
  }
  [[nodiscard]] bool has_envelope() const override { return true; }
  [[nodiscard]] Heartbeat heartbeat() const override { return pulse; }
  [[nodiscard]] std::uint16_t close_code(base::CloseReason reason) const override {
    return reason == base::CloseReason::server_shutdown ? 4100 : dialect::Dialect::close_code(reason);
  }

  Heartbeat pulse{};
  mutable int messages_encoded = 0;
};

struct Fixture : test::HubFixture<> {
  static constexpr std::int64_t interval_ms = 25'000;
  static constexpr std::int64_t timeout_ms = 20'000;

  Fixture() = default;
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() {
    table.abort_all();
    turn();
  }

  FakeTransport::Wire& open(const session::Options& options) {
    wires.push_back(std::make_unique<FakeTransport::Wire>());
    table.open(std::make_unique<FakeTransport>(*wires.back(), framing), dialect, options);
    turn();
    return *wires.back();
  }
  FakeTransport::Wire& join() { return open({"lobby", "", true, {}, true}); }
  FakeTransport::Wire& knock(std::int64_t admission_ms = 5'000) {
    return open({"lobby", "ada", true, {}, true, admission_ms});
  }
  void say(FakeTransport::Wire& wire, std::string_view text) {
    wire.events->on_message(PayloadForm::text, text);
    turn();
  }
  /// Without the end of a turn before.
  void pass(std::int64_t ms) {
    clock.advance(ms);
    deadlines.sweep();
    turn();
  }
  void beat(bool any_message_answers) {
    dialect.pulse = {Heartbeat::Means::payload, "ping", interval_ms, timeout_ms, any_message_answers};
  }
  static std::string sent(FakeTransport::Wire& wire) { return std::exchange(wire.sent, {}); }

  std::vector<std::unique_ptr<FakeTransport::Wire>> wires;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  test::BracketFraming framing;
  NumberingDialect dialect;
  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms service{hub, publisher, access, part::service_limits({})};
  session::SessionTable table{service, scheduler, clock, log, deadlines, part::session_settings({})};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "lifecycle: what a client says and is told goes through its own conversation") {
  auto& ada = join();
  auto& bob = join();
  CHECK(sent(ada) == "(t:hello)(welcome:1)(welcome:welcome)(ok:2)(ok:ok)");
  CHECK(sent(bob) == "(t:hello)(welcome:1)(welcome:welcome)(ok:2)(ok:ok)");
  say(ada, "x");
  say(ada, "y");
  say(bob, "z");
  CHECK(sent(ada) == "(t:1=x)(t:2=y)(t:1=z)");
  say(ada, "ask");
  CHECK(sent(ada) == "(ok:3)(ok:ok)");
  CHECK(dialect.messages_encoded == 3);  // for both
  CHECK(ada.events->held_bytes() >= 1'000);
}

TEST_CASE_FIXTURE(Fixture,
                  "lifecycle: the dialect chooses the close codes, and its last event names the same") {
  auto& ada = join();
  CHECK(ada.events->close_code(base::CloseReason::server_shutdown) == 4100);
  CHECK(ada.events->close_code(base::CloseReason::slow_consumer) == 1013);
  sent(ada);
  table.close_some(1, base::CloseReason::server_shutdown);
  CHECK(sent(ada) == "(bye:3)(bye:bye)");
}

TEST_CASE_FIXTURE(Fixture, "lifecycle: a client can ask to be closed") {
  auto& ada = join();
  sent(ada);
  say(ada, "leave");
  CHECK(ada.closes == std::vector{base::CloseReason::client_closed});
  CHECK(sent(ada).empty());
  CHECK(hub.subscribers("lobby") == 0);
}

TEST_CASE_FIXTURE(Fixture, "lifecycle: before it is admitted a client is talked to and has joined nothing") {
  auto& ada = knock();
  CHECK(sent(ada) == "(t:hello)");
  CHECK(hub.subscribers("lobby") == 0);
  SUBCASE("admitted, it joins under the name it is given") {
    say(ada, "admit eve");
    CHECK(hub.subscribers("lobby") == 1);
    CHECK(hub.presence("lobby").members->front().name() == "eve");
    CHECK(sent(ada) == "(welcome:1)(welcome:welcome)(ok:2)(ok:ok)");
    say(ada, "x");
    CHECK(sent(ada) == "(t:1=x)");
    say(ada, "admit ada");  // again: nothing
    CHECK(sent(ada).empty());
    pass(60'000);
    CHECK(ada.closes.empty());
  }
  SUBCASE("admitted without a name it keeps its own") {
    say(ada, "admit ");
    CHECK(hub.presence("lobby").members->front().name() == "ada");
  }
  SUBCASE("not admitted in time it is closed") {
    pass(4'900);
    CHECK(ada.closes.empty());
    pass(100);
    CHECK(ada.closes == std::vector{base::CloseReason::policy_violation});
  }
  SUBCASE("publishing closes it") {
    say(ada, "x");
    CHECK(ada.closes == std::vector{base::CloseReason::policy_violation});
  }
  SUBCASE("a request closes it") {
    say(ada, "ask");
    CHECK(ada.closes == std::vector{base::CloseReason::policy_violation});
    say(ada, "admit ada");
    CHECK(hub.subscribers("lobby") == 0);
  }
  SUBCASE("a drain closes it") {
    CHECK(table.close_some(10, base::CloseReason::server_shutdown) == 1);
    pass(60'000);
    CHECK(ada.closes == std::vector{base::CloseReason::server_shutdown});
  }
}

TEST_CASE_FIXTURE(Fixture, "lifecycle: a heartbeat of payloads goes on while it is answered") {
  beat(false);
  auto& ada = join();
  sent(ada);
  pass(interval_ms - 50);
  CHECK(sent(ada).empty());
  pass(50);
  CHECK(sent(ada) == "(t:ping)");
  pass(timeout_ms - 50);
  say(ada, "pong");
  pass(interval_ms - 50);
  CHECK(sent(ada).empty());
  pass(50);
  CHECK(sent(ada) == "(t:ping)");
  say(ada, "x");  // traffic is no answer
  CHECK(sent(ada) == "(t:1=x)");
  pass(timeout_ms);
  CHECK(ada.closes == std::vector{base::CloseReason::ping_timeout});
  pass(600'000);
  CHECK(ada.closes.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "lifecycle: any message may count as an answer to the heartbeat") {
  beat(true);
  auto& ada = join();
  sent(ada);
  pass(interval_ms);
  CHECK(sent(ada) == "(t:ping)");
  say(ada, "x");
  pass(timeout_ms);
  CHECK(ada.closes.empty());
}

TEST_CASE_FIXTURE(Fixture, "lifecycle: a client that the server does not read from cannot miss a heartbeat") {
  dialect.pulse = {Heartbeat::Means::payload, "ping", interval_ms, 1'000, false};
  auto& ada = join();
  sent(ada);
  pass(interval_ms);
  CHECK(sent(ada) == "(t:ping)");
  hub.set_overloaded(true);
  say(ada, "waits for its place");
  CHECK(ada.paused);
  pass(1'000);
  CHECK(ada.closes.empty());
  hub.set_overloaded(false);
  pass(100);
  CHECK_FALSE(ada.paused);
  pass(1'000);
  CHECK(ada.closes == std::vector{base::CloseReason::ping_timeout});
}

TEST_CASE_FIXTURE(Fixture, "lifecycle: the heartbeat starts before the client is admitted") {
  beat(false);
  auto& ada = knock(60'000);
  sent(ada);
  pass(interval_ms);
  CHECK(sent(ada) == "(t:ping)");
  pass(timeout_ms);
  CHECK(ada.closes == std::vector{base::CloseReason::ping_timeout});
}

}  // namespace lifecycle_test
