// How much one client is read in one go, and who comes first.
#include <doctest/doctest.h>

#include <string>

#include "unit/transport/websocket_fixture.h"
#include "ws/deflate.h"

namespace websocket_allowance_test {

using namespace roomcast;
using namespace roomcast::transport::test;

namespace {

std::string many(int count, const std::string& frame) {
  std::string bytes;
  for (int i = 0; i < count; ++i)
    bytes += frame;
  return bytes;
}

std::string compressed_from_peer(std::string_view payload) {
  ws::Deflater deflater({});
  std::string out;
  deflater.compress(payload, out);
  return peer::frame(peer::fin | peer::rsv1 | peer::text, out);
}

constexpr ws::DeflateParameters deflate{};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "websocket: of a read that is much work a part is done at once, the rest by turns") {
  open();
  wire.send(many(1'000, text_from_peer("x")));
  const std::size_t at_once = seen.messages.size();
  CHECK(at_once >= 32);
  CHECK(at_once < 500);
  CHECK(scheduler.deferred() == 1);
  scheduler.flush();  // those who are dirty come first
  CHECK(seen.messages.size() == at_once);
  scheduler.flush_deferred();
  CHECK(seen.messages.size() > at_once);
  CHECK(seen.messages.size() < 1'000);
  end_turn();
  CHECK(seen.messages.size() == 1'000);
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: ordinary reads are never cut, not even a window of many small messages") {
  open();
  wire.send(many(64, text_from_peer("x")));
  CHECK(seen.messages.size() == 64);
  CHECK(scheduler.deferred() == 0);
}

TEST_CASE_FIXTURE(Fixture, "websocket: what is inflated counts, not what came") {
  shared.settings.reader.message_bytes = 65'536;
  open({}, {}, deflate);
  const std::string frame = compressed_from_peer(std::string(65'536, '0'));
  CHECK(frame.size() < 400);
  wire.send(many(100, frame));
  CHECK(seen.messages.size() <= 3);
  end_turn();
  CHECK(seen.messages.size() == 100);
}

TEST_CASE_FIXTURE(Fixture, "websocket: who asked for much a moment ago comes behind those who did not") {
  open();
  wire.send(many(1'000, text_from_peer("x")));
  end_turn();
  seen.messages.clear();
  wire.send(text_from_peer("next"));
  CHECK(seen.messages.empty());
  CHECK(scheduler.deferred() == 1);
  end_turn();
  CHECK(seen.messages.size() == 1);
  clock.advance(3'000);
  wire.send(text_from_peer("later"));
  CHECK(seen.messages.size() == 2);
}

TEST_CASE_FIXTURE(Fixture,
                  "websocket: once closing, messages are passed over unread, for the peer's close frame") {
  shared.settings.reader.message_bytes = 65'536;
  open({}, {}, deflate);
  client->close(base::CloseReason::policy_violation, "enough");
  end_turn();
  const std::string zeros = compressed_from_peer(std::string(65'536, '0'));
  // Not even looked at: neither the compression nor the order of fragments.
  wire.send(many(100, zeros) + peer::frame(peer::fin | peer::rsv1 | peer::text, "\xff\xff\xff") +
            peer::frame(peer::fin | peer::continuation, "stray"));
  CHECK(seen.messages.empty());
  CHECK(scheduler.deferred() == 0);
  wire.send(peer::close_frame(1000));
  end_turn();
  CHECK(seen.ended_with(base::CloseReason::policy_violation));
}

TEST_CASE_FIXTURE(Fixture, "websocket: a message closed while it is handled may still be looked at") {
  open();
  std::string heard;
  seen.then = [&] {
    client->close(base::CloseReason::policy_violation, "");
    heard = seen.messages.back();
  };
  wire.send(peer::frame(peer::text, "in ") + peer::frame(peer::fin | peer::continuation, "two") +
            text_from_peer("unheard"));
  CHECK(heard == "t:in two");
  CHECK(seen.messages.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "websocket: what came before the peer's end is heard first, however much") {
  open();
  wire.send(many(1'000, text_from_peer("x")));
  wire.end();
  CHECK(seen.closings == 0);
  end_turn();
  CHECK(seen.messages.size() == 1'000);
  wire.deliver();
  end_turn();
  CHECK(seen.ended_with(base::CloseReason::connection_lost));
}

TEST_CASE_FIXTURE(Fixture, "websocket: a message that was begun must be whole in time") {
  shared.settings.message_timeout_ms = 40'000;
  open();
  wire.send(peer::frame(peer::text, "begun"));
  pass(ping_ms);
  wire.send(peer::frame(peer::fin | peer::pong, ""));
  CHECK(seen.closings == 0);
  SUBCASE("finished") {
    wire.send(peer::frame(peer::fin | peer::continuation, "!"));
    pass(ping_ms);
    wire.send(peer::frame(peer::fin | peer::pong, ""));
    wire.send(peer::frame(peer::text, "another"));
    pass(ping_ms);
    CHECK(seen.closings == 0);
  }
  SUBCASE("not") {
    pass(ping_ms);
    CHECK(seen.closings == 1);
    CHECK(wire.received().find("websocket.message_timeout_seconds") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "websocket: pings that are not read for are answered by few pongs") {
  open();
  wire.set_room(0);
  send("data");
  end_turn();
  wire.send(many(1'000, peer::frame(peer::fin | peer::ping, "")));
  end_turn();
  CHECK(client->queued_bytes() <= 4 + 2 * net::WriteQueue::urgent_max);
  CHECK(shared.stats.queued_bytes == client->queued_bytes());
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(client->queued_bytes() == 0);
  CHECK(shared.stats.queued_bytes == 0);
}

TEST_CASE_FIXTURE(Fixture, "websocket: the session hears when a good part of what may wait does") {
  open();
  wire.set_room(0);
  send(std::string(queue_bytes / 4, 'x'));
  end_turn();
  CHECK(seen.congested == 0);
  send("x");
  end_turn();
  CHECK(seen.congested == 1);
  // To wait for the end of it is not to try again and again.
  client->notify_when_drained();
  end_turn();
  CHECK(seen.congested == 1);
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(seen.drained == 1);
}

TEST_CASE_FIXTURE(Fixture, "websocket: what it holds is told, and given back when memory is short") {
  shared.settings.queue_bytes = 1'000'000;
  shared.settings.reader.message_bytes = 65'536;
  open();
  CHECK(admissions.held_bytes() == 0);
  SUBCASE("a queue") {
    wire.set_room(0);
    send(std::string(100'000, 'x'));
    end_turn();
  }
  SUBCASE("a message that was begun") { wire.send(peer::frame(peer::text, std::string(60'000, 'x'))); }
  SUBCASE("input that is not read yet") { wire.send(many(10'000, text_from_peer("x"))); }
  CHECK(admissions.held_bytes() >= 60'000);
  CHECK(admissions.shed_largest(1).bytes >= 60'000);
  CHECK(seen.closings == 1);
  CHECK(client->queued_bytes() < 200);
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(wire.received() == close_from_server(1013, "memory is short, and this connection held much of it"));
  CHECK(admissions.held_bytes() == 0);
  CHECK(shared.stats.queued_bytes == 0);
}

TEST_CASE_FIXTURE(Fixture, "websocket: a queue that was taken is not held any more") {
  shared.settings.queue_bytes = 1'000'000;
  open();
  wire.set_room(0);
  send(std::string(100'000, 'x'));
  end_turn();
  CHECK(admissions.held_bytes() >= 100'000);
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(admissions.held_bytes() == 0);
}

}  // namespace websocket_allowance_test
