#include "transport/websocket_upgrade.h"
#include "part/settings.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

#include "support/exchange_double.h"
#include "support/fake_engine.h"
#include "unit/transport/websocket_fixture.h"

namespace websocket_upgrade_test {

using namespace roomcast;
using roomcast::test::ExchangeDouble;
using transport::WebSocketUpgrade;
using transport::test::close_from_server;
using transport::test::from_server;
using transport::test::text_from_peer;

namespace {

/// Delivers `dialect:room:sender:payload`, says `event` of what happens besides if it has an envelope, and
/// publishes what it is sent.
class NamedDialect final : public dialect::Dialect {
 public:
  explicit NamedDialect(std::string_view name, bool envelope = false) : name_(name), envelope_(envelope) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  void decode(dialect::PayloadForm /*form*/, std::string_view bytes,
              dialect::CommandHandler& handler) const override {
    handler.publish(hub::Kind::text, bytes);
  }
  void encode(std::string_view room, const hub::Message& message,
              dialect::PayloadWriter& out) const override {
    std::string text(name_);
    text.append(":").append(room).append(":").append(message.author.name()).append(":");
    text += message.payload.view();
    out.write(dialect::PayloadForm::text, text);
  }
  [[nodiscard]] bool has_envelope() const override { return envelope_; }
  [[nodiscard]] bool can_authenticate() const override { return envelope_; }
  bool encode(const dialect::Event& event, dialect::PayloadWriter& out) const override {
    out.write(dialect::PayloadForm::text, dialect::name_of(event));
    return true;
  }

 private:
  std::string_view name_;
  bool envelope_;
};

/// Never asked.
class NoAuthenticator final : public access::Authenticator {
 public:
  void authenticate(std::string_view /*token*/, Done /*done*/) override { FAIL("nobody shows a token"); }
};

/// What all WebSockets share, and a hub and sessions behind them.
struct UpgradeFixture : transport::test::Fixture {
  ~UpgradeFixture() {
    sessions.abort_all();
    end_turn();
  }

  static ExchangeDouble handshake(std::string_view target) {
    ExchangeDouble exchange(http::Method::get, target);
    auto& headers = exchange.edit().headers;
    headers.add("Upgrade", "websocket");
    headers.add("Connection", "keep-alive");
    headers.add("Connection", "Upgrade");
    headers.add("Sec-WebSocket-Version", "13");
    headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    return exchange;
  }
  /// Takes `exchange` over `wire`.
  void join(ExchangeDouble& exchange, std::string_view room, WebSocketUpgrade& upgrade,
            std::string leftover = {}) {
    net::Admission admission;
    CHECK(admissions.admit("192.0.2.1", false, admission) == net::ExceededLimit::none);
    exchange.offer({wire.make_stream(), {}, std::move(leftover), std::move(admission), "192.0.2.1"});
    upgrade.handle(exchange, room);
    deliver();
  }
  void publish(std::string_view room, std::string_view payload) {
    hub.publish(room, {hub::Kind::text, base::Bytes::copy_of(payload), hub::Author("ann"), 0});
    deliver();
  }
  void deliver() {
    end_turn();
    scheduler.run_turn(hub);
  }

  roomcast::test::FakeEngine engine;
  base::Deadlines hub_deadlines{clock, 50};
  hub::Hub hub{{engine, scheduler, clock, hub_deadlines}, part::hub_limits({}), part::room_rules({})};
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  hub::IdempotentPublisher publisher{hub, scheduler, clock, hub_deadlines, 100'000};
  access::Control access;
  service::Rooms service{hub, publisher, access, part::service_limits({})};
  session::SessionTable sessions{service, scheduler, clock, log, hub_deadlines, part::session_settings({})};
  NamedDialect first{"first"};
  NamedDialect second{"second"};
  NamedDialect otherwise{"otherwise"};
  WebSocketUpgrade rooms{shared,
                         sessions,
                         {{{"first.v1", &first}, {"second.v1", &second}}, &otherwise},
                         WebSocketUpgrade::Rooms::from_path,
                         ws::DeflatePolicy{}};
  NamedDialect enveloped{"enveloped", true};
  WebSocketUpgrade asked_for{
      shared, sessions, {{{"enveloped.v1", &enveloped}}, nullptr}, WebSocketUpgrade::Rooms::none, {}};
  WebSocketUpgrade no_rooms{shared, sessions, {{}, &otherwise}, WebSocketUpgrade::Rooms::none, {}};
};

}  // namespace

TEST_CASE_FIXTURE(UpgradeFixture,
                  "websocket upgrade: a user has as many connections as it may, and gets 429 for one more") {
  access::Profile profile;
  profile.id = "ada";
  const access::Identity ada(std::move(profile));
  access::Rates::Limits limits;
  limits.connections_per_user = 1;
  access.rates.set_limits(limits);
  ExchangeDouble one = handshake("/rooms/lobby");
  one.context().identity = ada;
  join(one, "lobby", rooms);
  CHECK(sessions.size() == 1);
  ExchangeDouble another = handshake("/rooms/lobby");
  another.context().identity = ada;
  rooms.handle(another, "lobby");
  CHECK(another.status() == 429);
  sessions.abort_all();
  end_turn();
  CHECK_FALSE(sessions.check_connection(ada));
}

TEST_CASE_FIXTURE(UpgradeFixture, "upgrade: a handshake becomes a session that is in its room") {
  auto exchange = handshake("/rooms/lobby");
  join(exchange, "lobby", rooms);
  CHECK_FALSE(exchange.answered());
  CHECK(exchange.taken_over_with() ==
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  CHECK(sessions.size() == 1);
  CHECK(hub.subscribers("lobby") == 1);
  CHECK(admissions.connections() == 1);
  publish("lobby", "hi");
  CHECK(wire.take_received() == from_server(ws::Opcode::text, "otherwise:lobby:ann:hi"));
}

TEST_CASE_FIXTURE(UpgradeFixture, "upgrade: what the client sent behind the handshake is its first message") {
  auto exchange = handshake("/rooms/lobby");
  join(exchange, "lobby", rooms, text_from_peer("early"));
  deliver();
  CHECK(wire.received() == from_server(ws::Opcode::text, "otherwise:lobby::early"));
}

TEST_CASE_FIXTURE(UpgradeFixture,
                  "upgrade: the subprotocol picks the dialect, the server's favourite first") {
  auto exchange = handshake("/rooms/lobby");
  std::string dialect;
  SUBCASE("one that is known") {
    exchange.edit().headers.add("Sec-WebSocket-Protocol", "second.v1");
    dialect = "second";
  }
  SUBCASE("several") {
    exchange.edit().headers.add("Sec-WebSocket-Protocol", "unknown, second.v1");
    exchange.edit().headers.add("Sec-WebSocket-Protocol", "first.v1");
    dialect = "first";
  }
  SUBCASE("none that is known") {
    exchange.edit().headers.add("Sec-WebSocket-Protocol", "unknown");
    dialect = "otherwise";
  }
  join(exchange, "lobby", rooms);
  const bool named =
      exchange.taken_over_with().find("Sec-WebSocket-Protocol: " + dialect + ".v1\r\n") != std::string::npos;
  CHECK(named == (dialect != "otherwise"));
  publish("lobby", "x");
  CHECK(wire.received() == from_server(ws::Opcode::text, dialect + ":lobby:ann:x"));
}

TEST_CASE_FIXTURE(UpgradeFixture, "upgrade: ?name= is how the client is called") {
  auto exchange = handshake("/rooms/lobby?name=Ren%C3%A9+D.");
  join(exchange, "lobby", rooms);
  wire.send(text_from_peer("x"));
  deliver();
  CHECK(wire.received() == from_server(ws::Opcode::text, "otherwise:lobby:Ren\xC3\xA9 D.:x"));
}

TEST_CASE_FIXTURE(UpgradeFixture, "upgrade: only ?echo=0 leaves out the client's own messages") {
  bool own_messages = true;
  std::string target = "/rooms/lobby";
  SUBCASE("said") {
    target += "?echo=0";
    own_messages = false;
  }
  SUBCASE("not said") {}
  SUBCASE("said otherwise") { target += "?echo=1"; }
  SUBCASE("said without a value") { target += "?echo"; }
  auto exchange = handshake(target);
  join(exchange, "lobby", rooms);
  wire.send(text_from_peer("mine"));
  publish("lobby", "theirs");
  const std::string mine = from_server(ws::Opcode::text, "otherwise:lobby::mine");
  const std::string theirs = from_server(ws::Opcode::text, "otherwise:lobby:ann:theirs");
  CHECK(wire.received() == (own_messages ? mine + theirs : theirs));
}

TEST_CASE_FIXTURE(UpgradeFixture, "upgrade: compression is agreed on where the policy allows it") {
  auto exchange = handshake("/rooms/lobby");
  exchange.edit().headers.add("Sec-WebSocket-Extensions", "permessage-deflate");
  bool agreed = false;
  SUBCASE("it does") {
    join(exchange, "lobby", rooms);
    agreed = true;
    publish("lobby", std::string(500, 'x'));
    CHECK(wire.received().at(0) == '\xC1');
  }
  SUBCASE("it does not") { join(exchange, "", no_rooms); }
  CHECK((exchange.taken_over_with().find("permessage-deflate") != std::string::npos) == agreed);
}

TEST_CASE_FIXTURE(UpgradeFixture,
                  "upgrade: where a dialect must be asked for others are refused with its name") {
  auto exchange = handshake("/connect");
  SUBCASE("none") {}
  SUBCASE("another") { exchange.edit().headers.add("Sec-WebSocket-Protocol", "first.v1"); }
  asked_for.handle(exchange, "");
  CHECK(exchange.status() == 400);
  CHECK(exchange.body().find("bad_subprotocol") != std::string_view::npos);
  CHECK(exchange.body().find("must offer enveloped.v1") != std::string_view::npos);
  CHECK(sessions.size() == 0);
}

TEST_CASE_FIXTURE(UpgradeFixture,
                  "upgrade: a client with an envelope is welcomed and has a limit of its own") {
  shared.settings.enveloped_reader = {2'000, 10};
  auto exchange = handshake("/connect");
  exchange.edit().headers.add("Sec-WebSocket-Protocol", "enveloped.v1");
  join(exchange, "", asked_for);
  CHECK(wire.take_received() == from_server(ws::Opcode::text, "welcome"));
  std::size_t size = 2'000;
  std::string answer = close_from_server(1008, "this connection has no room to publish to");
  SUBCASE("at it") {}
  SUBCASE("one past it") {
    ++size;
    answer = close_from_server(1009, "message is larger than limits.message_bytes");
  }
  wire.send(text_from_peer(std::string(size, 'x')));
  deliver();
  CHECK(wire.received() == from_server(ws::Opcode::text, "bye") + answer);
}

TEST_CASE_FIXTURE(UpgradeFixture, "upgrade: an endpoint without rooms takes any client and joins none") {
  auto exchange = handshake("/echo");
  join(exchange, "", no_rooms);
  CHECK(sessions.size() == 1);
  CHECK(hub.rooms() == 0);
}

TEST_CASE_FIXTURE(UpgradeFixture,
                  "upgrade: a refusal is an ordinary answer with the status and fields it needs") {
  SUBCASE("not asked for") {
    ExchangeDouble exchange(http::Method::get, "/rooms/lobby");
    rooms.handle(exchange, "lobby");
    CHECK(exchange.status() == 426);
    CHECK(exchange.header("Upgrade") == "websocket");
    CHECK(exchange.body().find("upgrade_required") != std::string_view::npos);
  }
  SUBCASE("another version") {
    auto exchange = handshake("/rooms/lobby");
    exchange.edit().headers.set("Sec-WebSocket-Version", "8");
    rooms.handle(exchange, "lobby");
    CHECK(exchange.status() == 426);
    CHECK(exchange.header("Sec-WebSocket-Version") == "13");
  }
  SUBCASE("two keys") {
    auto exchange = handshake("/rooms/lobby");
    exchange.edit().headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    rooms.handle(exchange, "lobby");
    CHECK(exchange.status() == 400);
    CHECK(exchange.body().find("websocket_key") != std::string_view::npos);
  }
  SUBCASE("malformed extensions") {
    auto exchange = handshake("/rooms/lobby");
    exchange.edit().headers.add("Sec-WebSocket-Extensions", "=");
    rooms.handle(exchange, "lobby");
    CHECK(exchange.status() == 400);
    CHECK(exchange.body().find("websocket_extensions") != std::string_view::npos);
  }
  CHECK(sessions.size() == 0);
}

TEST_CASE_FIXTURE(UpgradeFixture, "upgrade: a bad room name is refused with the reason") {
  auto exchange = handshake("/rooms/");
  rooms.handle(exchange, "");
  CHECK(exchange.status() == 400);
  CHECK(exchange.body().find("bad_room_name") != std::string_view::npos);
  CHECK(sessions.size() == 0);
}

TEST_CASE_FIXTURE(UpgradeFixture, "upgrade: while memory is short new clients are asked to come back later") {
  hub.set_overloaded(true);
  auto exchange = handshake("/rooms/lobby");
  rooms.handle(exchange, "lobby");
  CHECK(exchange.status() == 503);
  CHECK(exchange.header("Retry-After") == "1");
  CHECK(exchange.body().find("limits.memory_bytes") != std::string_view::npos);
  hub.set_overloaded(false);
  join(exchange, "lobby", rooms);
  CHECK(sessions.size() == 1);
}

TEST_CASE_FIXTURE(UpgradeFixture,
                  "upgrade: who may not join without an identity is refused, unless it can show one") {
  access.policy = *access::Policy::make({{"**", "user", access::PermissionSet::ordinary()}});
  NoAuthenticator authenticator;
  sessions.set_authenticator(&authenticator);
  WebSocketUpgrade both{
      shared, sessions, {{{"enveloped.v1", &enveloped}}, &otherwise}, WebSocketUpgrade::Rooms::from_path, {}};
  auto exchange = handshake("/rooms/lobby");
  SUBCASE("a dialect with a command for it") {
    exchange.edit().headers.add("Sec-WebSocket-Protocol", "enveloped.v1");
    join(exchange, "lobby", both);
    CHECK(sessions.size() == 1);
    CHECK(wire.take_received() == from_server(ws::Opcode::text, "welcome"));
    CHECK(hub.subscribers("lobby") == 0);
    clock.advance(10'000);
    hub_deadlines.sweep();
    deliver();
    CHECK(wire.take_received() ==
          from_server(ws::Opcode::text, "bye") +
              close_from_server(3000, "the client did not authenticate within auth.authenticate_seconds"));
    return;
  }
  SUBCASE("one without") {}
  SUBCASE("no tokens are taken") {
    sessions.set_authenticator(nullptr);
    exchange.edit().headers.add("Sec-WebSocket-Protocol", "enveloped.v1");
  }
  SUBCASE("a user that may not") {
    access.policy = *access::Policy::make({{"**", "user:bob", access::PermissionSet::ordinary()}});
    exchange.edit().headers.add("Sec-WebSocket-Protocol", "enveloped.v1");
    access::Profile ada;
    ada.id = "ada";
    exchange.context().identity = access::Identity(std::move(ada));
  }
  both.handle(exchange, "lobby");
  CHECK((exchange.status() == 401 || exchange.status() == 403));
  CHECK(exchange.body().find("no access rule lets") != std::string_view::npos);
  CHECK(sessions.size() == 0);
}

}  // namespace websocket_upgrade_test
