#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "transport/websocket.h"
#include "unit/transport/websocket_fixture.h"

namespace websocket_close_test {

using namespace roomcast;
using namespace roomcast::transport::test;
using base::CloseReason;
using Messages = std::vector<std::string>;

namespace {

const std::string shutdown_frame = close_from_server(1012, "server restarts");

}  // namespace

TEST_CASE_FIXTURE(Fixture, "websocket: closed by us, the peer answers, both say FIN") {
  open();
  send("owed ");
  client->close(CloseReason::server_shutdown, {});
  CHECK(seen.closings == 1);
  CHECK(client->close_code() == 1012);
  end_turn();
  CHECK(wire.received() == "owed " + shutdown_frame);
  CHECK_FALSE(wire.is_shut_down());
  CHECK(seen.closed.empty());

  wire.send(peer::close_frame(1012));
  CHECK(seen.closed.empty());  // not from within the reading
  end_turn();
  CHECK(seen.ended_with(CloseReason::server_shutdown));
  CHECK(wire.received() == "owed " + shutdown_frame);
  CHECK(wire.is_shut_down());
  CHECK(linger.size() == 1);
  client.reset();
  CHECK(admissions.connections() == 1);  // counted until the peer's FIN

  wire.end();
  end_turn();
  CHECK_FALSE(wire.is_open());
  CHECK(linger.size() == 0);
  CHECK(admissions.connections() == 0);
}

TEST_CASE_FIXTURE(Fixture, "websocket: once both close frames have come, the peer's FIN is not waited for") {
  wire.allow_unwatched();
  open();
  SUBCASE("closed by us") {
    client->close(CloseReason::server_shutdown, {});
    end_turn();
    wire.send(peer::close_frame(1012));
  }
  SUBCASE("closed by the peer") { wire.send(peer::close_frame(1000)); }
  end_turn();
  CHECK(wire.is_shut_down());
  CHECK(linger.size() == 0);
  CHECK(admissions.connections() == 0);
  client.reset();
  CHECK(wire.is_open());  // the peer reads what it was sent
  pass(100);
  pass(100);
  CHECK_FALSE(wire.is_open());
}

TEST_CASE_FIXTURE(Fixture, "websocket: without the peer's close frame its FIN is waited for") {
  wire.allow_unwatched();
  open();
  wire.send("\x81\x05hello");
  end_turn();
  CHECK(wire.is_shut_down());
  CHECK(linger.size() == 1);
  CHECK(admissions.connections() == 1);
}

TEST_CASE_FIXTURE(Fixture, "websocket: each reason has its code, and the text may be given") {
  open();
  client->close(CloseReason::policy_violation, "this connection has no room to publish to");
  end_turn();
  CHECK(wire.received() == close_from_server(1008, "this connection has no room to publish to"));
}

TEST_CASE_FIXTURE(Fixture, "websocket: the session chooses the close code, also for a protocol error") {
  open();
  seen.codes = 3'000;
  SUBCASE("closed by the server") {
    client->close(base::CloseReason::server_shutdown, "later");
    end_turn();
    CHECK(wire.received() == close_from_server(4'012, "later"));
    CHECK(client->close_code() == 4'012);
  }
  SUBCASE("closed for what the peer sent") {
    wire.send("\xff\xff");
    end_turn();
    CHECK(client->close_code() == 4'002);
  }
}

TEST_CASE_FIXTURE(Fixture, "websocket: once closing, closing again and sending change nothing") {
  open();
  client->close(CloseReason::server_shutdown, {});
  client->close(CloseReason::internal_error, {});
  send("too late");
  client->pause();
  end_turn();
  CHECK(wire.received() == shutdown_frame);
  CHECK(seen.closings == 1);
  CHECK_FALSE(wire.is_paused());
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: while closing, messages are counted but not delivered, pings not answered") {
  open();
  client->close(CloseReason::server_shutdown, {});
  wire.send(text_from_peer("too late") + peer::frame(peer::fin | peer::ping, "hello?"));
  end_turn();
  CHECK(seen.messages.empty());
  CHECK(client->traffic().messages_in == 1);
  CHECK(wire.received() == shutdown_frame);
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: closed out of its own message, the rest of what was read is not delivered") {
  open();
  seen.then = [&] { client->close(CloseReason::invalid_data, {}); };
  wire.send(text_from_peer("one") + text_from_peer("two"));
  CHECK(seen.messages == Messages{"t:one"});
}

TEST_CASE_FIXTURE(Fixture, "websocket: closed while paused, it reads on, for the peer's answer") {
  open();
  client->pause();
  wire.send(peer::close_frame(1012));
  client->close(CloseReason::server_shutdown, {});
  CHECK_FALSE(wire.is_paused());
  wire.deliver();
  end_turn();
  CHECK(seen.ended_with(CloseReason::server_shutdown));
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: closed while paused, what was held is looked through for the peer's answer") {
  open();
  seen.then = [&] { client->pause(); };
  wire.send(text_from_peer("one") + text_from_peer("two") + peer::close_frame(1000));
  client->close(CloseReason::server_shutdown, {});
  end_turn();
  CHECK(seen.messages == Messages{"t:one"});
  CHECK(seen.ended_with(CloseReason::server_shutdown));
}

TEST_CASE_FIXTURE(Fixture, "websocket: closed by the peer, its code is echoed behind what it is still owed") {
  open();
  send("owed ");
  std::string answer;
  SUBCASE("with a code") {
    wire.send(peer::close_frame(4'321, "bye"));
    answer = close_from_server(4'321);
    CHECK(client->close_code() == 4'321);
  }
  SUBCASE("without") {
    wire.send(peer::frame(peer::fin | peer::close, {}));
    answer = close_from_server(1005);
  }
  CHECK(seen.closings == 1);
  wire.send(text_from_peer("behind the close frame"));
  end_turn();
  CHECK(wire.received() == "owed " + answer);
  CHECK(wire.is_shut_down());
  CHECK(seen.messages.empty());
  CHECK(seen.ended_with(CloseReason::client_closed));
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: a peer that says goodbye and FIN in one breath still gets its answer") {
  open();
  wire.set_room(0);
  wire.send(peer::close_frame(1000));
  wire.end();
  end_turn();
  CHECK(seen.closed.empty());
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(wire.received() == close_from_server(1000));
  CHECK(seen.ended_with(CloseReason::client_closed));
  CHECK_FALSE(wire.is_open());  // there was no FIN to wait for
}

TEST_CASE("websocket: a goodbye waits until the peer has got what it published, for a while") {
  const auto goodbyes = {text_from_peer("one") + peer::close_frame(1000), peer::close_frame(1000),
                         std::string()};
  for (const std::string& goodbye : goodbyes) {
    CAPTURE(goodbye);
    Fixture f;
    f.open();
    f.seen.awaits = true;
    f.wire.send(goodbye);
    if (goodbye.empty()) f.wire.end();
    f.end_turn();
    CHECK(f.seen.closings == 0);
    CloseReason reason = goodbye.empty() ? CloseReason::connection_lost : CloseReason::client_closed;
    SUBCASE("it comes") {
      f.send("another's ");
      f.end_turn();
      CHECK(f.seen.closings == 0);
      f.send("one ");
      f.seen.awaits = false;
      f.end_turn();
      CHECK(f.wire.received() == "another's one " + close_from_server(1000));
    }
    SUBCASE("it does not") {
      f.pass(Fixture::close_timeout_ms - 1);
      CHECK(f.seen.closings == 0);
      f.pass(1);
      CHECK(f.wire.received() == close_from_server(1000));
    }
    SUBCASE("the server closes meanwhile") {
      f.client->close(CloseReason::server_shutdown, {});
      f.end_turn();
      CHECK(f.wire.received() == shutdown_frame);
      reason = CloseReason::server_shutdown;
    }
    SUBCASE("a reset comes first") {
      f.wire.fail("connection reset");
      f.end_turn();
    }
    CHECK(f.seen.ended_with(reason));
  }
}

TEST_CASE_FIXTURE(Fixture, "websocket: a close handshake that the peer does not complete ends in time") {
  open();
  client->close(CloseReason::server_shutdown, {});
  end_turn();
  pass(close_timeout_ms - 1);
  CHECK(seen.closed.empty());
  pass(1);
  CHECK(seen.ended_with(CloseReason::server_shutdown));
  pass(ping_ms);
  CHECK(seen.closed.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "websocket: a goodbye that the peer does not take ends in time") {
  open();
  wire.set_room(0);
  wire.send(peer::close_frame(1000));
  end_turn();
  pass(close_timeout_ms);
  CHECK(seen.ended_with(CloseReason::client_closed));
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: broken rules are answered with their code, without waiting for an answer") {
  open();
  CloseReason reason{};
  std::string answer;
  const auto expect = [&](CloseReason why, int code, std::string_view text) {
    reason = why;
    answer = close_from_server(code, text);
  };
  SUBCASE("framing") {
    wire.send("\x81\x05hello");
    expect(CloseReason::protocol_error, 1002, "client frame is not masked");
  }
  SUBCASE("UTF-8") {
    wire.send(text_from_peer("\xff"));
    expect(CloseReason::invalid_data, 1007, "text message is not valid UTF-8");
  }
  SUBCASE("size") {
    wire.send(text_from_peer(std::string(1'001, 'x')));
    expect(CloseReason::message_too_big, 1009, "message is larger than limits.message_bytes");
  }
  CHECK(seen.closings == 1);
  wire.send(text_from_peer("behind"));
  end_turn();
  CHECK(wire.received() == answer);
  CHECK(wire.is_shut_down());
  CHECK(seen.messages.empty());
  CHECK(seen.ended_with(reason));
}

TEST_CASE_FIXTURE(Fixture, "websocket: rules broken while closing end it for the reason it was closed for") {
  open();
  client->close(CloseReason::server_shutdown, {});
  wire.send("\x81\x05hello");
  end_turn();
  CHECK(wire.received() == shutdown_frame);
  CHECK(wire.is_shut_down());
  CHECK(seen.ended_with(CloseReason::server_shutdown));
}

TEST_CASE_FIXTURE(Fixture, "websocket: FIN or a reset without a close frame is a lost connection") {
  open();
  std::string said;
  SUBCASE("FIN") {
    // It may still hear why it is over.
    said = close_from_server(1000);
    wire.end();
  }
  SUBCASE("reset") { wire.fail("connection reset"); }
  end_turn();
  CHECK(seen.ended_with(CloseReason::connection_lost));
  CHECK(client->close_code() == (said.empty() ? 0 : 1000));
  pass(ping_ms);
  CHECK(seen.closed.size() == 1);
  CHECK(wire.received() == said);
  client.reset();
  CHECK_FALSE(wire.is_open());
  CHECK(admissions.connections() == 0);
}

TEST_CASE_FIXTURE(Fixture, "websocket: who only closed its sending half still gets what it is owed") {
  open();
  wire.set_room(0);
  send("owed");
  end_turn();
  wire.end();
  end_turn();
  CHECK(seen.closed.empty());
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(wire.received() == "owed" + close_from_server(1000));
  CHECK(seen.ended_with(CloseReason::connection_lost));
}

TEST_CASE_FIXTURE(Fixture, "websocket: FIN or a reset while closing keeps the reason it was closed for") {
  open();
  client->close(CloseReason::server_shutdown, {});
  SUBCASE("FIN") { wire.end(); }
  SUBCASE("reset") { wire.fail("connection reset"); }
  end_turn();
  CHECK(seen.ended_with(CloseReason::server_shutdown));
}

TEST_CASE_FIXTURE(Fixture, "websocket: a reset before the peer's goodbye was answered keeps it a goodbye") {
  open();
  wire.send(peer::close_frame(1000));
  wire.fail("connection reset");
  end_turn();
  CHECK(seen.ended_with(CloseReason::client_closed));
}

TEST_CASE_FIXTURE(
    Fixture, "websocket: what came behind the handshake is read even if FIN or a reset follows at once") {
  open(text_from_peer("hello") + peer::close_frame(1000));
  SUBCASE("FIN") {
    wire.end();
    end_turn();
    CHECK(wire.received() == close_from_server(1000));
  }
  SUBCASE("reset") { wire.fail("connection reset"); }
  CHECK(seen.messages == Messages{"t:hello"});
  CHECK(seen.ended_with(CloseReason::client_closed));
}

TEST_CASE_FIXTURE(Fixture, "websocket: aborted, it says nothing more to anybody") {
  open();
  send("queued");
  client->abort();
  wire.send(text_from_peer("x"));
  wire.end();
  pass(ping_ms);
  CHECK(wire.received().empty());
  CHECK(seen.messages.empty());
  CHECK(seen.closings == 0);
  CHECK(seen.closed.empty());
}

TEST_CASE_FIXTURE(Fixture, "websocket: destroyed with something queued, it is not flushed any more") {
  open();
  send("queued");
  client.reset();
  end_turn();
  CHECK(wire.received().empty());
  CHECK_FALSE(wire.is_open());
}

}  // namespace websocket_close_test
