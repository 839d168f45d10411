#include "transport/stream_join.h"
#include "part/settings.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

#include "dialect/raw.h"
#include "hub/cursor.h"
#include "support/exchange_double.h"
#include "support/fake_engine.h"
#include "support/sse_reader.h"
#include "support/stream_reader.h"
#include "transport/room_entry.h"
#include "transport/stream_refusal.h"
#include "unit/transport/http_stream_fixture.h"

namespace stream_join_test {

using namespace roomcast;
using namespace roomcast::transport;
using roomcast::test::Dechunked;
using roomcast::test::ExchangeDouble;
using roomcast::test::Gunzip;
using roomcast::test::SseReader;

namespace {

/// Says everything in brackets, with an envelope.
class BracketDialect final : public dialect::Dialect {
 public:
  [[nodiscard]] std::string_view name() const override { return "bracket"; }
  void decode(dialect::PayloadForm /*form*/, std::string_view /*bytes*/,
              dialect::CommandHandler& /*handler*/) const override {}
  void encode(std::string_view /*room*/, const hub::Message& message,
              dialect::PayloadWriter& out) const override {
    out.write(dialect::PayloadForm::text, "[" + std::string(message.payload.view()) + "]");
  }
  [[nodiscard]] bool has_envelope() const override { return true; }
  bool encode(const dialect::Event& event, dialect::PayloadWriter& out) const override {
    out.write(dialect::PayloadForm::text, "[" + std::string(name_of(event)) + "]");
    return true;
  }
};

struct JoinFixture : transport::test::StreamFixture {
  ~JoinFixture() {
    sessions.abort_all();
    end_turn();
  }

  void join(ExchangeDouble& exchange, StreamJoin& handler, std::string_view room = "lobby") {
    net::Admission admission;
    CHECK(admissions.admit("192.0.2.1", false, admission) == net::ExceededLimit::none);
    exchange.offer({wire.make_stream(), {}, {}, std::move(admission), "192.0.2.1"});
    handler.handle(exchange, room);
    deliver();
  }
  void join(std::string_view target, StreamJoin& handler) {
    ExchangeDouble exchange(http::Method::get, target);
    join(exchange, handler);
  }
  /// The head of the answer to `exchange`.
  std::string head_of(ExchangeDouble& exchange, StreamJoin& handler) {
    join(exchange, handler);
    return exchange.taken_over_with();
  }
  /// The response that refuses `target`.
  ExchangeDouble refused(std::string_view target, StreamJoin& handler, std::string_view room = "lobby") {
    ExchangeDouble exchange(http::Method::get, target);
    handler.handle(exchange, room);
    CHECK(sessions.size() == 0);
    return exchange;
  }
  void publish(std::string_view payload, hub::Kind kind = hub::Kind::text) {
    hub.publish("lobby", {kind, base::Bytes::copy_of(payload), {}, 0});
    deliver();
  }
  void deliver() {
    end_turn();
    scheduler.run_turn(hub);
  }
  /// What an EventSource has got so far.
  SseReader events() { return SseReader(Dechunked(wire.received()).content); }

  roomcast::test::FakeEngine engine;
  base::Deadlines hub_deadlines{clock, 50};
  hub::Hub hub{{engine, scheduler, clock, hub_deadlines}, part::hub_limits({}), part::room_rules({})};
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  hub::IdempotentPublisher publisher{hub, scheduler, clock, hub_deadlines, 100'000};
  access::Control access;
  service::Rooms service{hub, publisher, access, part::service_limits({})};
  session::SessionTable sessions{service, scheduler, clock, log, hub_deadlines, part::session_settings({})};
  dialect::Raw raw;
  BracketDialect bracket;
  StreamJoin event_stream{shared, sessions, clock, sse, {{{"raw.v1", &raw}, {"bracket.v1", &bracket}}, &raw}};
  StreamJoin ndjson{ndjson_shared, sessions, clock, ndjson_lines, {{}, &bracket}};
};

bool has_line(const std::string& head, const std::string& line) {
  return head.find("\r\n" + line + "\r\n") != std::string::npos;
}

}  // namespace

TEST_CASE_FIXTURE(JoinFixture,
                  "stream: an event stream opens, says where it begins, and goes on with messages") {
  join("/rooms/lobby", event_stream);
  CHECK(sessions.size() == 1);
  CHECK(hub.subscribers("lobby") == 1);
  publish("hi");
  publish("\x01", hub::Kind::binary);
  const SseReader reader = events();
  REQUIRE(reader.retry);
  CHECK(std::stoi(*reader.retry) >= 2000);
  CHECK(std::stoi(*reader.retry) <= 4000);
  CHECK(reader.comments == 1);
  REQUIRE(reader.events.size() == 3);
  CHECK(reader.events[0].type == "joined");
  CHECK(reader.events[0].data == R"({"room":"lobby","cursor":")" + reader.events[0].id + "\"}");
  CHECK(hub::parse_cursor(reader.events[0].id)->offset == 0);
  CHECK(reader.events[1].data == "hi");
  CHECK(hub::parse_cursor(reader.events[1].id)->offset == 1);
  CHECK(reader.events[2].type == "binary");
}

TEST_CASE_FIXTURE(JoinFixture,
                  "stream: a user has as many connections as it may, and gets 429 for one more") {
  access::Profile profile;
  profile.id = "ada";
  const access::Identity ada(std::move(profile));
  access::Rates::Limits limits;
  limits.connections_per_user = 1;
  access.rates.set_limits(limits);
  ExchangeDouble one(http::Method::get, "/rooms/lobby");
  one.context().identity = ada;
  join(one, event_stream);
  CHECK(sessions.size() == 1);
  ExchangeDouble another(http::Method::get, "/rooms/lobby");
  another.context().identity = ada;
  event_stream.handle(another, "lobby");
  CHECK(another.status() == 429);
  sessions.abort_all();
  end_turn();
  CHECK_FALSE(sessions.check_connection(ada));
}

TEST_CASE_FIXTURE(JoinFixture, "stream: in lines, every message and event is one") {
  join("/rooms/lobby?dialect=ignored", ndjson);
  publish("hi");
  CHECK(Dechunked(wire.received()).content == "[ok]\n[hi]\n");
}

TEST_CASE_FIXTURE(JoinFixture, "stream: ?dialect= picks what an event stream says") {
  join("/rooms/lobby?dialect=bracket.v1", event_stream);
  publish("hi");
  const SseReader reader = events();
  REQUIRE(reader.events.size() == 2);
  CHECK(reader.events[0].type == "ok");
  CHECK(reader.events[1].data == "[hi]");
}

TEST_CASE_FIXTURE(JoinFixture,
                  "stream: a dialect that there is not is refused by naming those that there are") {
  const ExchangeDouble exchange = refused("/rooms/lobby?dialect=other", event_stream);
  CHECK(exchange.status() == 400);
  CHECK(exchange.body().find("bad_dialect") != std::string_view::npos);
  CHECK(exchange.body().find("raw.v1 bracket.v1") != std::string_view::npos);
  CHECK(exchange.header("Vary") == "Accept, Accept-Encoding");
}

TEST_CASE_FIXTURE(JoinFixture,
                  "stream: the head says what comes, that nobody keeps it and on what it depends") {
  ExchangeDouble exchange(http::Method::get, "/rooms/lobby");
  const std::string answer = head_of(exchange, event_stream);
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\nDate: "));
  CHECK(answer.ends_with("\r\n\r\n"));
  CHECK(has_line(answer, "Content-Type: text/event-stream"));
  CHECK(has_line(answer, "Cache-Control: no-store, no-transform"));
  CHECK(has_line(answer, "X-Accel-Buffering: no"));
  CHECK(has_line(answer, "Vary: Accept, Accept-Encoding"));
  CHECK(has_line(answer, "From-The-Gate: yes"));  // which lets pages of listed origins read it
  CHECK(has_line(answer, "Transfer-Encoding: chunked"));
  CHECK(has_line(answer, "Connection: close"));
  CHECK(answer.find("Content-Length") == std::string::npos);
  CHECK(answer.find("Content-Encoding") == std::string::npos);
}

TEST_CASE_FIXTURE(JoinFixture, "stream: a client of HTTP/1.0 gets no chunks") {
  ExchangeDouble exchange(http::Method::get, "/rooms/lobby");
  exchange.edit().minor_version = 0;
  const std::string answer = head_of(exchange, ndjson);
  CHECK(has_line(answer, "Content-Type: application/x-ndjson"));
  CHECK(has_line(answer, "Connection: close"));
  CHECK(answer.find("Transfer-Encoding") == std::string::npos);
  CHECK(wire.received() == "[ok]\n");
}

TEST_CASE_FIXTURE(JoinFixture, "stream: gzip goes to whoever accepts it, unless http.compression is off") {
  ExchangeDouble exchange(http::Method::get, "/rooms/lobby");
  exchange.edit().headers.add("Accept-Encoding", "gzip");
  SUBCASE("on") {
    CHECK(has_line(head_of(exchange, event_stream), "Content-Encoding: gzip"));
    publish("hi");
    const SseReader reader(Gunzip().read(Dechunked(wire.received()).content));
    REQUIRE(reader.events.size() == 2);
    CHECK(reader.events[1].data == "hi");
  }
  SUBCASE("off") {
    shared.settings.compression = false;
    CHECK(head_of(exchange, event_stream).find("Content-Encoding") == std::string::npos);
    CHECK(events().events.size() == 1);
  }
}

TEST_CASE_FIXTURE(JoinFixture, "stream: a request that makes no sense is refused, whoever makes it") {
  CHECK(refused("/rooms/lobby?since=x", event_stream).body().find("bad_cursor") != std::string_view::npos);
  CHECK(refused("/rooms/lobby?history=x", ndjson).body().find("bad_history") != std::string_view::npos);
  CHECK(refused("/rooms/", ndjson, "").body().find("bad_room_name") != std::string_view::npos);
}

TEST_CASE_FIXTURE(JoinFixture, "stream: what refuses a request for now says so") {
  SUBCASE("memory is short") { hub.set_overloaded(true); }
  SUBCASE("rooms with members take all that they may") {
    hub::HubLimits none = part::hub_limits({});
    none.room_bytes = 0;
    hub.set_limits(none);
  }
  const auto not_now = refused("/rooms/lobby", event_stream);
  CHECK(not_now.status() == 503);
  CHECK(not_now.response().is_temporary);
  CHECK(not_now.body().find("overloaded") != std::string_view::npos);
  CHECK(not_now.header("Cache-Control") == "no-store");
}

TEST_CASE_FIXTURE(JoinFixture,
                  "stream: a cursor nobody can have got here is a gap, said in place of joined") {
  publish("one");
  ExchangeDouble exchange(http::Method::get, "/rooms/lobby");
  exchange.edit().headers.add("Last-Event-ID", "gibberish");
  join(exchange, event_stream);
  const SseReader reader = events();
  REQUIRE(reader.events.size() == 2);
  CHECK(reader.events[0].type == "gap");
  CHECK(reader.events[1].data == "one");
}

TEST_CASE_FIXTURE(JoinFixture, "stream: the server says goodbye and ends the body") {
  join("/rooms/lobby", event_stream);
  sessions.close_some(1, base::CloseReason::server_shutdown);
  deliver();
  const Dechunked body(wire.received());
  CHECK(body.ended);
  const SseReader reader(body.content);
  REQUIRE(reader.events.size() == 2);
  CHECK(reader.events[1].type == "bye");
  CHECK(reader.events[1].data.starts_with(R"({"code":1012,"reason":"server_shutdown")"));
  CHECK(sessions.size() == 0);
}

namespace {

struct Named final : http::Handler {
  explicit Named(std::string& log) : log_(log) {}
  void handle(http::Exchange& exchange, std::string_view rest) override {
    log_ = rest;
    exchange.respond({});
  }
  std::string& log_;
};

}  // namespace

TEST_CASE("room entry: every client is led to the transport it wants") {
  std::string websocket;
  std::string event_stream;
  std::string ndjson;
  std::string poll;
  Named a(websocket);
  Named b(event_stream);
  Named c(ndjson);
  Named d(poll);
  const part::RoomTransports transports{
      {.name = "poll", .handler = &d, .media_type = "application/json", .is_default = true},
      {.name = "websocket", .handler = &a, .upgrade = "websocket"},
      {.name = "sse", .handler = &b, .media_type = "text/event-stream"},
      {.name = "stream", .handler = &c, .media_type = "application/x-ndjson"},
  };
  RoomEntry entry(transports);
  const auto enter = [&](http::Method method, std::string_view target, std::string_view field = {},
                         std::string_view value = {}) {
    for (std::string* log : {&websocket, &event_stream, &ndjson, &poll})
      log->clear();
    ExchangeDouble exchange(method, target);
    exchange.edit().headers.add(std::string(field), std::string(value));
    entry.handle(exchange, "lobby");
    return exchange;
  };
  using enum http::Method;
  enter(get, "/rooms/lobby", "Upgrade", "websocket");
  CHECK(websocket == "lobby");
  enter(get, "/rooms/lobby", "Accept", "text/event-stream");
  CHECK(event_stream == "lobby");
  enter(get, "/rooms/lobby?transport=stream");
  CHECK(ndjson == "lobby");
  enter(get, "/rooms/lobby", "Accept", "*/*");
  CHECK(poll == "lobby");
  enter(head, "/rooms/lobby", "Accept", "text/event-stream");
  CHECK(poll == "lobby");
  const ExchangeDouble refused = enter(get, "/rooms/lobby?transport=pigeon");
  CHECK(refused.status() == 400);
  CHECK(refused.body().find("bad_transport") != std::string_view::npos);
  CHECK(refused.body().find("websocket, sse, stream or poll, or be left out") != std::string_view::npos);
}

}  // namespace stream_join_test
