#include <doctest/doctest.h>

#include <string>

#include "transport/websocket.h"
#include "unit/transport/websocket_fixture.h"

namespace websocket_keep_alive_test {

using namespace roomcast;
using namespace roomcast::transport::test;

namespace {

const std::string ping = from_server(ws::Opcode::ping, "");
const std::string pong_from_peer = peer::frame(peer::fin | peer::pong, "");

}  // namespace

TEST_CASE_FIXTURE(Fixture, "websocket: a ping is sent when its time has come, not before") {
  open();
  pass(ping_ms - 1);
  CHECK(wire.take_received().empty());
  pass(1);
  CHECK(wire.take_received() == ping);
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: without pings a silent client stays, one with a half message does not") {
  open({}, {}, {}, {false, false});
  pass(ping_ms);
  pass(10 * ping_ms);
  CHECK(wire.take_received().empty());
  CHECK(seen.closings == 0);
  wire.send(text_from_peer("begun").substr(0, 8));
  for (int i = 0; i < 4; ++i)
    pass(ping_ms);
  CHECK(wire.take_received().find("message_timeout") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "websocket: between two pings lies the ping interval") {
  open();
  pass(ping_ms);
  for (int i = 0; i < 3; ++i) {
    CHECK(wire.take_received() == ping);
    wire.send(pong_from_peer);
    pass(pong_timeout_ms);
    pass(ping_ms - pong_timeout_ms - 1);
    CHECK(wire.take_received().empty());
    pass(1);
  }
}

TEST_CASE_FIXTURE(Fixture, "websocket: pings come as often as they should, also if a pong may take longer") {
  open();
  shared.settings.pong_timeout_ms = 2 * ping_ms + 1;
  pass(ping_ms);
  for (int i = 0; i < 5; ++i) {
    CHECK(wire.take_received() == ping);
    wire.send(pong_from_peer);
    pass(ping_ms - 1);
    CHECK(wire.take_received().empty());
    pass(1);
  }
  CHECK(wire.take_received() == ping);  // which is the first that is not answered
  pass(ping_ms);
  pass(ping_ms);
  CHECK(wire.take_received() == ping + ping);
  CHECK(seen.closings == 0);
  pass(1);
  CHECK(seen.closings == 1);
}

TEST_CASE_FIXTURE(Fixture, "websocket: pings go before what is queued") {
  open();
  wire.set_room(0);
  send("queued");
  end_turn();
  pass(ping_ms);
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(wire.received() == ping + "queued");
}

TEST_CASE_FIXTURE(Fixture, "websocket: whoever does not answer a ping in time is told so and closed") {
  open();
  pass(ping_ms);
  CHECK(wire.take_received() == ping);
  pass(pong_timeout_ms - 1);
  CHECK(seen.closings == 0);
  pass(1);
  CHECK(seen.closings == 1);
  CHECK(wire.received() == close_from_server(1011, "no answer to ping"));
  pass(close_timeout_ms - 1);
  CHECK(seen.closed.empty());
  pass(1);
  CHECK(seen.ended_with(base::CloseReason::ping_timeout));
}

TEST_CASE_FIXTURE(Fixture, "websocket: anything at all that comes back after a ping will do") {
  open();
  pass(ping_ms);
  SUBCASE("a pong") { wire.send(pong_from_peer); }
  SUBCASE("a message") { wire.send(text_from_peer("x")); }
  SUBCASE("a piece of a frame") { wire.send(text_from_peer("x").substr(0, 1)); }
  pass(pong_timeout_ms);
  CHECK(seen.closings == 0);
}

TEST_CASE_FIXTURE(Fixture, "websocket: what came before the ping is no answer to it") {
  open();
  wire.send(text_from_peer("x"));
  pass(ping_ms);
  pass(pong_timeout_ms);
  CHECK(seen.closings == 1);
}

TEST_CASE_FIXTURE(Fixture, "websocket: a client that is not read is not blamed for its silence") {
  open();
  client->pause();
  pass(ping_ms);
  wire.send(pong_from_peer);
  pass(pong_timeout_ms);
  CHECK(seen.closings == 0);
  client->resume();
  wire.deliver();
  pass(ping_ms);
  pass(pong_timeout_ms);
  CHECK(seen.closings == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: a client that is not read shows that it lives by taking what it is owed") {
  open();
  wire.set_room(0);
  client->pause();
  send("owed");
  pass(ping_ms);
  bool takes = false;
  SUBCASE("it takes some") {
    wire.set_room(1);
    end_turn();
    takes = true;
  }
  SUBCASE("it takes nothing") {}
  pass(pong_timeout_ms);
  CHECK(seen.closings == (takes ? 0 : 1));
}

TEST_CASE_FIXTURE(Fixture, "websocket: new settings hold from the next deadline on") {
  open();
  shared.settings.ping_ms = 1'000;
  pass(ping_ms - 1);
  CHECK(wire.take_received().empty());
  pass(1);
  CHECK(wire.take_received() == ping);
}

}  // namespace websocket_keep_alive_test
