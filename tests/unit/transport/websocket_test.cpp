#include "transport/websocket.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "unit/transport/websocket_fixture.h"

namespace websocket_test {

using namespace roomcast;
using namespace roomcast::transport::test;
using Messages = std::vector<std::string>;

TEST_CASE_FIXTURE(Fixture, "websocket: whole messages of both kinds arrive, in whatever pieces") {
  open();
  const std::string bytes = text_from_peer("hello") + peer::frame(peer::fin | peer::binary, "\x01\xff") +
                            peer::frame(peer::text, "in ") +
                            peer::frame(peer::fin | peer::continuation, "two");
  SUBCASE("at once") { wire.send(bytes); }
  SUBCASE("byte by byte") {
    for (const char byte : bytes)
      wire.send({&byte, 1});
  }
  CHECK(seen.messages == Messages{"t:hello", "b:\x01\xff", "t:in two"});
}

TEST_CASE_FIXTURE(Fixture, "websocket: what is sent leaves in order with one write at the end of the turn") {
  open();
  send("one ");
  send("two ");
  send("three");
  CHECK(wire.received().empty());
  end_turn();
  CHECK(wire.received() == "one two three");
  CHECK(wire.writes() == 1);
}

TEST_CASE_FIXTURE(Fixture, "websocket: what the socket does not take goes on when there is room again") {
  open();
  wire.set_room(4);
  send("one two");
  end_turn();
  CHECK(wire.received() == "one ");
  CHECK(client->queued_bytes() == 3);
  wire.set_room(100);
  end_turn();
  CHECK(wire.received() == "one two");
  CHECK(client->queued_bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: bytes behind the handshake are read first, but not from within start") {
  const std::string second = text_from_peer("second");
  open(text_from_peer("first") + second.substr(0, 3));
  CHECK(seen.messages.empty());
  SUBCASE("when the turn has ended") {
    end_turn();
    CHECK(seen.messages == Messages{"t:first"});
    wire.send(second.substr(3));
  }
  SUBCASE("also when more arrives before") {
    wire.send(second.substr(3));
    CHECK(seen.messages.empty());
    end_turn();
  }
  CHECK(seen.messages == Messages{"t:first", "t:second"});
}

TEST_CASE_FIXTURE(Fixture, "websocket: what the handshake could not send yet goes first") {
  open({}, "HTTP/1.1 101 …");
  send("frame");
  end_turn();
  CHECK(wire.received() == "HTTP/1.1 101 …frame");
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: paused in the midst of what was read, the rest is held and comes later") {
  open();
  seen.then = [&] { client->pause(); };
  wire.send(text_from_peer("one") + text_from_peer("two") + text_from_peer("three"));
  CHECK(seen.messages == Messages{"t:one"});
  CHECK(wire.is_paused());
  end_turn();
  CHECK(seen.messages == Messages{"t:one"});

  client->resume();
  CHECK(wire.is_paused());                    // what is held comes first
  CHECK(seen.messages == Messages{"t:one"});  // not from within the call
  end_turn();
  CHECK(seen.messages == Messages{"t:one", "t:two"});  // which paused it again

  seen.then = {};
  client->resume();
  wire.send(text_from_peer("four"));
  end_turn();
  CHECK_FALSE(wire.is_paused());
  wire.deliver();
  CHECK(seen.messages == Messages{"t:one", "t:two", "t:three", "t:four"});
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: pausing before the bytes behind the handshake were read holds them too") {
  open(text_from_peer("first"));
  client->pause();
  end_turn();
  CHECK(seen.messages.empty());
  client->resume();
  end_turn();
  CHECK(seen.messages == Messages{"t:first"});
}

TEST_CASE_FIXTURE(Fixture, "websocket: pausing and resuming twice is the same as once") {
  open();
  client->resume();
  CHECK_FALSE(wire.is_paused());
  client->pause();
  client->pause();
  client->resume();
  CHECK_FALSE(wire.is_paused());
  client->resume();
  wire.send(text_from_peer("x"));
  CHECK(seen.messages == Messages{"t:x"});
}

TEST_CASE_FIXTURE(Fixture, "websocket: a ping is answered with its payload, before what is queued already") {
  open();
  send("queued");
  wire.send(peer::frame(peer::fin | peer::ping, "are you there"));
  end_turn();
  CHECK(wire.received() == from_server(ws::Opcode::pong, "are you there") + "queued");
}

TEST_CASE_FIXTURE(Fixture, "websocket: exactly the queue limit may wait") {
  open();
  wire.set_room(0);
  send(std::string(queue_bytes, 'x'));
  end_turn();
  CHECK(client->queued_bytes() == queue_bytes);
  CHECK(seen.closings == 0);
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(wire.received() == std::string(queue_bytes, 'x'));
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: more than the limit may pass in one turn as long as the socket takes it") {
  open();
  send(std::string(50 * queue_bytes, 'x'));
  end_turn();
  CHECK(wire.received().size() == 50 * queue_bytes);
  CHECK(seen.closings == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: past the queue limit only the frame under way and the close frame still go") {
  open();
  wire.set_room(3);
  send("frame under way");
  end_turn();
  send(std::string(queue_bytes - client->queued_bytes() + 1, 'x'));
  end_turn();
  CHECK(seen.closings == 1);
  CHECK(client->close_code() == 1013);
  send("too late");
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(wire.received() ==
        "frame under way" + close_from_server(1013, "too slow: limits.queue_bytes exceeded"));
  wire.send(peer::close_frame(1013));
  end_turn();
  CHECK(seen.ended_with(base::CloseReason::slow_consumer));
}

TEST_CASE_FIXTURE(Fixture, "websocket: a slow client that takes nothing at all ends at the close timeout") {
  open();
  wire.set_room(0);
  send(std::string(queue_bytes + 1, 'x'));
  end_turn();
  CHECK(seen.closings == 1);
  CHECK(seen.closed.empty());
  pass(close_timeout_ms);
  CHECK(seen.ended_with(base::CloseReason::slow_consumer));
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: messages, payload and wire bytes are counted for the client and for all") {
  open();
  wire.send(text_from_peer("12345") + peer::frame(peer::fin | peer::binary, "678") +
            peer::frame(peer::fin | peer::pong, "not a message"));
  wire.set_room(4);
  send("queued");
  end_turn();
  session::Traffic traffic = client->traffic();
  CHECK(traffic.messages_in == 2);
  CHECK(traffic.bytes_in == 8);
  CHECK(traffic.bytes_out == 4);  // what the socket has taken
  wire.set_room(100);
  end_turn();
  CHECK(client->traffic().bytes_out == 6);
  CHECK(shared.stats.messages_in == 2);
  CHECK(shared.stats.payload_bytes_in == 8);
  CHECK(shared.stats.wire_bytes_out == 6);
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: with permessage-deflate compressed messages are read, and framed for it") {
  open({}, {}, ws::DeflateParameters{});
  ws::Deflater deflater({});
  std::string compressed;
  const std::string message(500, 'a');
  deflater.compress(message, compressed);
  wire.send(peer::frame(peer::fin | peer::rsv1 | peer::text, compressed));
  CHECK(seen.messages == Messages{"t:" + message});
  CHECK(client->traffic().bytes_in == message.size());
  CHECK(&client->framing() == &framings.for_client(ws::DeflateParameters{}));
  CHECK(&client->framing() != &framings.for_client({}));
}

TEST_CASE_FIXTURE(Fixture, "websocket: it knows who its peer is") {
  open();
  CHECK(client->peer_address() == "192.0.2.1");
  CHECK(client->close_code() == 0);
}

}  // namespace websocket_test
