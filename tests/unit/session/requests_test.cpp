// What a session does with the requests of a dialect that has words for them.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "dialect/json.h"
#include "hub/cursor.h"
#include "part/settings.h"
#include "session/room_set.h"
#include "session/session_table.h"
#include "support/fake_transport.h"
#include "support/hub_fixture.h"

namespace requests_test {

using namespace roomcast;
using test::FakeTransport;

namespace {

constexpr std::string_view nowhere = "00000000000000aa-5";  // a cursor of no log here

struct Fixture : test::HubFixture<> {
  Fixture() = default;
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() {
    // The sessions that are left are freed before the wires that their transports refer to.
    table.abort_all();
    turn();
  }

  FakeTransport::Wire& open(std::string_view room, const hub::Interest& interest = {}, bool two_way = true) {
    wires.push_back(std::make_unique<FakeTransport::Wire>());
    table.open(std::make_unique<FakeTransport>(*wires.back(), framing), json,
               {room, "", true, interest, two_way});
    return *wires.back();
  }
  /// A client that has read its greeting.
  FakeTransport::Wire& greeted(std::string_view room) {
    FakeTransport::Wire& wire = open(room);
    turn();
    wire.sent.clear();
    return wire;
  }
  void fill(std::string_view room, int count, std::size_t bytes = 1) {
    for (int i = 0; i < count; ++i)
      hub.publish(room, {hub::Kind::text, base::Bytes::copy_of(std::string(bytes, 'm')), {}, 0});
    turn();
  }
  static void say(FakeTransport::Wire& wire, std::string_view request) {
    wire.events->on_message(dialect::PayloadForm::text, request);
  }
  /// What it has been sent since the last look, by `type` (and `id`), in order.
  static std::string heard(FakeTransport::Wire& wire) {
    std::string words;
    std::string_view rest = wire.sent;
    while (!rest.empty()) {
      const std::size_t end = rest.find("})") + 1;
      words += (words.empty() ? "" : " ") + word(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    wire.sent.clear();
    return words;
  }
  static std::string word(std::string_view unit) {
    const auto value = [&](std::string_view name) -> std::string {
      const std::string label = "\"" + std::string(name) + "\":";
      const std::size_t at = unit.find(label);
      if (at == std::string_view::npos) return {};
      const std::string_view behind = unit.substr(at + label.size());
      return std::string(behind.substr(0, behind.find_first_of(",}")));
    };
    const std::string type = value("type");
    std::string text = type.substr(1, type.size() - 2);
    if (type == "\"error\"") text += ":" + value("code");
    return value("id").empty() ? text : text + "#" + value("id");
  }

  std::vector<std::unique_ptr<FakeTransport::Wire>> wires;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  test::BracketFraming framing;
  dialect::Json json;
  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms service{hub, publisher, access, part::service_limits({})};
  session::SessionTable table{service, scheduler, clock, log, deadlines, part::session_settings({})};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "requests: a client is welcomed, then told of its room") {
  auto& wire = open("lobby");
  CHECK(wire.sent.rfind(R"((welcome:{"type":"welcome","client":")", 0) == 0);
  turn();
  CHECK(heard(wire) == "welcome ok");
}

TEST_CASE_FIXTURE(Fixture,
                  "requests: with a gap a client hears ok and gap, one that can't ask only the gap") {
  const hub::Interest interest{hub::parse_cursor(nowhere), std::nullopt};
  auto& asks = open("lobby", interest);
  auto& listens = open("lobby", interest, false);
  turn();
  CHECK(heard(asks) == "welcome ok gap");
  CHECK(heard(listens) == "gap");
}

TEST_CASE_FIXTURE(Fixture, "requests: one session is in many rooms, and in none once it has closed") {
  auto& wire = greeted("");
  say(wire, R"({"type":"subscribe","id":1,"room":"a"})");
  say(wire, R"({"type":"subscribe","room":"b"})");
  turn();
  CHECK(heard(wire) == "ok#1");
  fill("a", 1);
  fill("b", 1);
  CHECK(heard(wire) == "message message");
  say(wire, R"({"type":"unsubscribe","id":2,"room":"a"})");
  CHECK(heard(wire) == "ok#2");
  CHECK(hub.subscribers("a") == 0);
  CHECK(hub.subscribers("b") == 1);
  wire.events->on_closing(base::CloseReason::client_closed, "");
  CHECK(hub.subscribers("b") == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "requests: a subscribe taken back before the room answered is answered all the same") {
  engine.hold_rooms = true;
  auto& wire = greeted("");
  say(wire, R"({"type":"subscribe","id":1,"room":"a"})");
  turn();
  CHECK(wire.sent.empty());
  say(wire, R"({"type":"unsubscribe","id":2,"room":"a"})");
  CHECK(heard(wire) == "error:\"not_subscribed\"#1 ok#2");
  engine.events().on_subscribed("a", hub::LogState({1, 0}));
  turn();
  CHECK(wire.sent.empty());
}

TEST_CASE_FIXTURE(Fixture, "requests: rooms are counted with that of the connection, up to the limit") {
  table.set_settings({25'000, 2, 10'000});
  auto& wire = greeted("home");
  say(wire, R"({"type":"subscribe","id":1,"room":"a"})");
  say(wire, R"({"type":"subscribe","id":2,"room":"b"})");
  turn();
  CHECK(heard(wire) == "error:\"too_many_rooms\"#2 ok#1");
  say(wire, R"({"type":"unsubscribe"})");
  say(wire, R"({"type":"subscribe","id":3,"room":"b"})");
  turn();
  CHECK(heard(wire) == "ok#3");
  say(wire, R"({"type":"subscribe","id":4})");
  CHECK(heard(wire) == "error:\"too_many_rooms\"#4");
}

TEST_CASE_FIXTURE(
    Fixture, "requests: the room of the connection can be left and joined again by leaving out its name") {
  auto& wire = greeted("home");
  say(wire, R"({"type":"subscribe","id":1})");
  say(wire, R"({"type":"unsubscribe","id":2})");
  say(wire, R"({"type":"unsubscribe","id":3})");
  say(wire, R"({"type":"subscribe","id":4})");
  turn();
  CHECK(heard(wire) == "error:\"already_subscribed\"#1 ok#2 error:\"not_subscribed\"#3 ok#4");
  CHECK(hub.subscribers("home") == 1);
}

TEST_CASE_FIXTURE(Fixture, "requests: a receipt comes at the end of the turn, before the message itself") {
  auto& wire = greeted("home");
  say(wire, R"({"type":"publish","id":1,"data":"x"})");
  CHECK(wire.sent.empty());
  turn();
  CHECK(heard(wire) == "ok#1 message");
}

TEST_CASE_FIXTURE(Fixture, "requests: a receipt for a client that has gone goes nowhere") {
  engine.hold_answers = true;
  auto& wire = greeted("home");
  say(wire, R"({"type":"publish","id":1,"data":"x"})");
  wire.events->on_closed(base::CloseReason::connection_lost);
  turn();
  REQUIRE(wire.destroyed);
  REQUIRE(engine.held.size() == 1);
  engine.events().on_published(engine.held[0], hub::Published{hub::Position{1, 1}});
  turn();
  CHECK(wire.sent.empty());
}

TEST_CASE_FIXTURE(Fixture, "requests: a publish that is refused says why, with and without an id") {
  auto& wire = greeted("home");
  hub.set_overloaded(true);
  say(wire, R"({"type":"publish","id":1,"data":"x"})");
  say(wire, R"({"type":"publish","data":"x"})");
  say(wire, R"({"type":"subscribe","id":2,"room":"b"})");
  turn();
  CHECK(heard(wire) == "error:\"overloaded\"#2 error:\"overloaded\"#1 error:\"overloaded\"");
  CHECK(wire.closes.empty());
}

TEST_CASE_FIXTURE(Fixture, "requests: a payload may be as large as the limit and not one byte larger") {
  service.set_limits({3, 63});
  auto& wire = greeted("home");
  say(wire, R"({"type":"publish","id":1,"data":"\u0061\u0062\u0063"})");
  say(wire, R"({"type":"publish","id":2,"data":"abcd"})");
  turn();
  CHECK(heard(wire) == "error:\"message_too_big\"#2 ok#1 message");
}

TEST_CASE_FIXTURE(Fixture, "requests: who has much on its way is not read from until that is gone") {
  auto& wire = greeted("home");
  wire.queued = 131'072;
  say(wire, R"({"type":"ping"})");
  CHECK_FALSE(wire.paused);
  wire.queued = 131'073;
  say(wire, R"({"type":"ping"})");
  CHECK(wire.paused);
  CHECK(wire.wants_drained);
  wire.events->on_drained();
  CHECK_FALSE(wire.paused);
}

TEST_CASE_FIXTURE(Fixture,
                  "requests: one page of history is given for each time the client has taken the last") {
  fill("a", 1);
  auto& wire = greeted("");
  say(wire, R"({"type":"history","id":1,"room":"a"})");
  turn();
  CHECK(wire.paused);
  CHECK(wire.wants_drained);
  wire.events->on_drained();
  CHECK_FALSE(wire.paused);
}

TEST_CASE_FIXTURE(
    Fixture, "requests: a long answer comes behind what others ask, and nothing more is read before it") {
  fill("a", 1);
  auto& wire = greeted("");
  auto& other = greeted("");
  say(wire, R"({"type":"history","id":1,"room":"a"})");
  // What was sent before may be gone by now.
  wire.events->on_drained();
  CHECK(wire.paused);
  CHECK(wire.sent.empty());
  say(other, R"({"type":"ping","id":2})");
  CHECK(heard(other) == "ok#2");
  CHECK(wire.sent.empty());
  scheduler.flush_deferred();
  CHECK(heard(wire) == "ok#1");
  wire.events->on_drained();
  CHECK_FALSE(wire.paused);
}

TEST_CASE_FIXTURE(Fixture, "requests: who leaves before the answer gets none") {
  fill("a", 1);
  auto& wire = greeted("");
  say(wire, R"({"type":"history","id":1,"room":"a"})");
  REQUIRE(scheduler.deferred() == 1);
  wire.events->on_closing(base::CloseReason::client_closed, {});
  CHECK(scheduler.deferred() == 0);
  turn();
  CHECK(wire.sent.empty());
}

TEST_CASE_FIXTURE(Fixture, "requests: the pasts of many rooms follow page by page, each room in its turn") {
  for (const char* room : {"a", "b"})
    fill(room, 5, 60'000);  // two messages a page
  auto& wire = greeted("");
  say(wire, R"({"type":"subscribe","id":1,"room":"a","history":100})");
  say(wire, R"({"type":"subscribe","id":2,"room":"b","history":100})");
  turn();
  CHECK(heard(wire) == "ok#1 ok#2");
  const auto next_page = [&] {
    wire.events->on_drained();
    turn();
    const std::size_t room = wire.sent.find("\"room\":\"");
    const std::string from = room == std::string::npos ? "" : wire.sent.substr(room + 8, 1);
    return from + " " + heard(wire);
  };
  CHECK(next_page() == "a message message");
  CHECK(next_page() == "b message message");
  fill("a", 1);
  CHECK(heard(wire).empty());  // what is live waits for what came before
  CHECK(next_page() == "a message message");
  CHECK(next_page() == "b message message");
  CHECK(next_page() == "a message message");
  CHECK(next_page() == "b message");
  CHECK(next_page() == " ");
  fill("a", 1);
  CHECK(heard(wire) == "message");
}

TEST_CASE_FIXTURE(Fixture, "requests: who lacks nothing is live at once, however much is on its way") {
  auto& wire = greeted("");
  wire.queued = 100'000;
  say(wire, R"({"type":"subscribe","id":1,"room":"a"})");
  turn();
  fill("a", 1);
  CHECK(heard(wire) == "ok#1 message");
}

TEST_CASE_FIXTURE(Fixture, "requests: a room left while it is replayed is not replayed any further") {
  fill("a", 5, 60'000);
  auto& wire = greeted("");
  say(wire, R"({"type":"subscribe","id":1,"room":"a","history":100})");
  turn();
  wire.events->on_drained();
  turn();
  CHECK(heard(wire) == "ok#1 message message");
  say(wire, R"({"type":"unsubscribe","id":2,"room":"a"})");
  wire.events->on_drained();
  turn();
  CHECK(heard(wire) == "ok#2");
}

TEST_CASE_FIXTURE(Fixture, "requests: bye says when to come back, or not to") {
  const auto bye = [&](base::CloseReason reason) {
    auto& wire = greeted("");
    wire.events->on_closing(reason, "");
    return wire.sent;
  };
  const auto retry_ms = [](const std::string& sent) {
    const std::size_t at = sent.find("\"retry_ms\":");
    return at == std::string::npos ? -1 : std::stoi(sent.substr(at + 11));
  };
  CHECK(bye(base::CloseReason::protocol_error) ==
        R"((bye:{"type":"bye","code":1002,"reason":"protocol_error"}))");
  CHECK(bye(base::CloseReason::client_closed).empty());
  CHECK(bye(base::CloseReason::connection_lost).empty());
  table.set_settings({25'000, 100, 2'000});
  int latest = 0;
  for (int i = 0; i < 200; ++i) {
    const int slow = retry_ms(bye(base::CloseReason::slow_consumer));
    CHECK((slow >= 500 && slow <= 5'000));
    const int shutdown = retry_ms(bye(base::CloseReason::server_shutdown));
    CHECK((shutdown >= 0 && shutdown <= 3'000));
    latest = std::max(latest, shutdown);
  }
  CHECK(latest > 2'000);
}

TEST_CASE_FIXTURE(Fixture, "requests: a page of history of a room that is still being opened has to wait") {
  engine.hold_rooms = true;
  auto& wire = greeted("");
  say(wire, R"({"type":"history","id":1,"room":"a"})");
  turn();
  CHECK(heard(wire).empty());
  engine.open("a");
  turn();
  CHECK(heard(wire).starts_with("ok"));
}

TEST_CASE_FIXTURE(Fixture, "requests: a room that can't be opened is an error, and can be asked for again") {
  engine.hold_rooms = true;
  auto& wire = greeted("");
  say(wire, R"({"type":"subscribe","id":1,"room":"a"})");
  engine.events().on_subscribe_refused("a", {hub::Refusal::Code::unavailable, "no link"});
  turn();
  CHECK(heard(wire) == "error:\"unavailable\"#1");
  CHECK(hub.subscribers("a") == 0);
  engine.hold_rooms = false;
  say(wire, R"({"type":"subscribe","id":2,"room":"a"})");
  turn();
  CHECK(heard(wire) == "ok#2");
}

TEST_CASE_FIXTURE(Fixture, "requests: a connection whose own room can't be opened is closed, to come back") {
  engine.hold_rooms = true;
  auto& wire = open("lobby");
  engine.events().on_subscribe_refused("lobby", {hub::Refusal::Code::unavailable, "no link"});
  turn();
  CHECK(wire.closes == std::vector{base::CloseReason::unavailable});
}

TEST_CASE_FIXTURE(Fixture,
                  "requests: what came while a room's link was lost follows, as the client takes it") {
  engine.hold_rooms = true;
  auto& wire = greeted("");
  say(wire, R"({"type":"subscribe","id":1,"room":"a"})");
  engine.events().on_subscribed("a", hub::LogState({1, 3}, 0));
  turn();
  CHECK(heard(wire) == "ok#1");
  wire.wants_drained = false;
  engine.events().on_lost("a");
  engine.events().on_resumed("a", hub::LogState({1, 5}, 0));
  turn();
  CHECK(wire.wants_drained);
  CHECK(engine.reads.empty());
  wire.events->on_drained();
  turn();
  REQUIRE(engine.reads.size() == 1);
  hub::LogPage page;
  page.floor = 0;
  for (const std::uint64_t offset : {4U, 5U})
    page.messages.emplace_back(hub::Kind::text, base::Bytes::copy_of("x"), hub::Author(), 0,
                               hub::Position{1, offset}, 0);
  engine.events().on_page(engine.reads[0], std::move(page));
  turn();
  CHECK(heard(wire) == "message message");
}

TEST_CASE_FIXTURE(Fixture,
                  "requests: a page of history that the engine has to read is answered when it has") {
  engine.hold_rooms = true;
  auto& wire = greeted("");
  say(wire, R"({"type":"subscribe","id":1,"room":"a"})");
  engine.events().on_subscribed("a", hub::LogState({1, 3}, 0));
  turn();
  CHECK(heard(wire) == "ok#1");
  say(wire, R"({"type":"history","id":2,"room":"a"})");
  turn();
  CHECK(wire.sent.empty());
  REQUIRE(engine.reads.size() == 1);
  SUBCASE("a page") {
    hub::LogPage page;
    page.floor = 0;
    page.messages.emplace_back(hub::Kind::text, base::Bytes::copy_of("x"), hub::Author(), 0,
                               hub::Position{1, 1}, 0);
    engine.events().on_page(engine.reads[0], std::move(page));
    CHECK(wire.sent.find(R"("cursor":"0000000000000001-1")") != std::string::npos);
  }
  SUBCASE("none") {
    engine.events().on_page(engine.reads[0], hub::Refusal{hub::Refusal::Code::unavailable, "no link"});
    CHECK(heard(wire) == "error:\"unavailable\"#2");
  }
  SUBCASE("the client has gone") {
    wire.events->on_closing(base::CloseReason::client_closed, "");
    wire.sent.clear();
    engine.events().on_page(engine.reads[0], hub::LogPage{});
    CHECK(wire.sent.empty());
  }
}

TEST_CASE_FIXTURE(Fixture, "requests: a publish that the engine refuses says why") {
  engine.hold_answers = true;
  auto& wire = greeted("lobby");
  say(wire, R"({"type":"publish","id":1,"data":"x"})");
  engine.events().on_published(engine.held.back(), hub::Refusal{hub::Refusal::Code::timed_out, "late"});
  turn();
  CHECK(wire.sent.find(R"("code":"timed_out")") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "requests: the receipt says that the message is on the disk") {
  engine.hold_answers = true;
  auto& wire = greeted("lobby");
  say(wire, R"({"type":"publish","id":1,"data":"x"})");
  engine.events().on_published(engine.held.back(), hub::Published{{1, 1}, true});
  turn();
  CHECK(wire.sent.find(R"("subscribers":1,"durable":true})") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "requests: a message with a key is published once, whoever sends it again") {
  auto& ada = greeted("lobby");
  auto& bob = greeted("");
  say(ada, R"({"type":"publish","id":1,"data":"x","key":"k"})");
  turn();
  CHECK(
      ada.sent.find(R"({"type":"ok","id":1,"room":"lobby","cursor":"0000000000000001-1","subscribers":1})") !=
      std::string::npos);
  CHECK(heard(ada).find("message") != std::string::npos);
  say(ada, R"({"type":"publish","id":2,"data":"x","key":"k"})");
  say(bob, R"({"type":"publish","id":3,"room":"lobby","data":"x","key":"k"})");
  say(bob, R"({"type":"publish","room":"lobby","data":"x","key":"k"})");
  turn();
  CHECK(
      ada.sent ==
      R"((ok:{"type":"ok","id":2,"room":"lobby","cursor":"0000000000000001-1","subscribers":1,"duplicate":true}))");
  CHECK(heard(bob) == "ok#3");
  CHECK(engine.top("lobby").offset == 1);
}

TEST_CASE_FIXTURE(Fixture, "requests: two with one key under way at once both get the one place") {
  engine.hold_answers = true;
  auto& wire = greeted("");
  say(wire, R"({"type":"publish","id":1,"room":"lobby","data":"x","key":"k"})");
  say(wire, R"({"type":"publish","id":2,"room":"lobby","data":"x","key":"k"})");
  turn();
  CHECK(wire.sent.empty());
  REQUIRE(engine.held.size() == 1);
  engine.events().on_published(engine.held[0], hub::Published{hub::Position{1, 1}});
  turn();
  CHECK(heard(wire) == "ok#1 ok#2");
}

TEST_CASE_FIXTURE(Fixture, "requests: a key belongs to one message of one room") {
  auto& wire = greeted("");
  say(wire, R"({"type":"publish","room":"lobby","data":"1","key":"k"})");
  turn();
  say(wire, R"({"type":"publish","id":1,"room":"lobby","data":"2","key":"k"})");
  say(wire, R"({"type":"publish","id":2,"room":"lobby","data":1,"key":"k"})");
  say(wire, R"({"type":"publish","id":3,"room":"lobby","data_base64":"MQ==","key":"k"})");
  say(wire, R"({"type":"publish","room":"lobby","data":"2","key":"k"})");
  say(wire, R"({"type":"publish","id":4,"room":"attic","data":"2","key":"k"})");
  turn();
  const std::string words = heard(wire);
  const std::string reused = "error:\"key_reused\"";
  for (const char* id : {"#1", "#2", "#3"})
    CHECK(words.find(reused + id) != std::string::npos);
  CHECK((" " + words + " ").find(" " + reused + " ") != std::string::npos);
  CHECK(words.find("ok#4") != std::string::npos);
  CHECK(engine.top("lobby").offset == 1);
}

TEST_CASE_FIXTURE(Fixture, "requests: a publish says by its client's address who it comes from") {
  auto& wire = greeted("lobby");
  say(wire, R"({"type":"publish","room":"lobby","data":"a","key":"k"})");
  turn();
  CHECK(engine.sources == std::vector{hub::source_of("192.0.2.1")});
}

}  // namespace requests_test
