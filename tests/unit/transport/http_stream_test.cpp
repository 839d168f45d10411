#include "transport/http_stream.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/stream_reader.h"
#include "unit/transport/http_stream_fixture.h"

namespace http_stream_test {

using namespace roomcast;
using namespace roomcast::transport;
using namespace roomcast::transport::test;

TEST_CASE_FIXTURE(StreamFixture,
                  "http stream: the opening and what is sent leave in one write behind the head") {
  open(chunked, head, "retry: 1\n");
  send("one ");
  send("two");
  CHECK(wire.received().empty());
  end_turn();
  CHECK(wire.received() == std::string(head) + "9\r\nretry: 1\n\r\none two");
  CHECK(wire.writes() == 1);
}

TEST_CASE_FIXTURE(StreamFixture,
                  "http stream: what the socket does not take goes on when there is room again") {
  open();
  wire.set_room(4);
  send("one two");
  end_turn();
  CHECK(wire.received() == "one ");
  CHECK(client->queued_bytes() == 3);
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(wire.received() == "one two");
}

TEST_CASE_FIXTURE(StreamFixture, "http stream: a heartbeat comes when the time is over, again and again") {
  open();
  pass(heartbeat_ms - 1);
  CHECK(wire.received().empty());
  pass(1);
  CHECK(wire.take_received() == heartbeat);
  pass(heartbeat_ms);
  CHECK(wire.take_received() == heartbeat);
  CHECK(seen.closings == 0);
}

TEST_CASE_FIXTURE(StreamFixture, "http stream: a heartbeat has the form of the stream") {
  open_in(ndjson_shared, {BodyCoding::Length::until_close, false});
  pass(heartbeat_ms);
  CHECK(wire.received() == "\n");
}

TEST_CASE_FIXTURE(StreamFixture, "http stream: a compressed one begins with the header, heartbeats and all") {
  open({BodyCoding::Length::chunked, true}, {}, "retry: 1\n");
  end_turn();
  pass(heartbeat_ms);
  client->close(base::CloseReason::server_shutdown, {});
  end_turn();
  const roomcast::test::Dechunked body(wire.received());
  CHECK(body.ended);
  CHECK(roomcast::test::Gunzip().read(body.content) == "retry: 1\n:\n\n");
}

TEST_CASE_FIXTURE(StreamFixture, "http stream: no heartbeat is queued behind what is not taken") {
  open();
  wire.set_room(0);
  send("stuck");
  end_turn();
  pass(heartbeat_ms);
  CHECK(client->queued_bytes() == 5);
  CHECK(seen.closings == 0);
}

TEST_CASE_FIXTURE(StreamFixture,
                  "http stream: whoever takes nothing at all from one heartbeat to the next is too slow") {
  open();
  wire.set_room(0);
  send("stuck");
  end_turn();
  pass(heartbeat_ms);
  SUBCASE("nothing") {
    pass(heartbeat_ms);
    CHECK(seen.closings == 1);
    pass(close_timeout_ms);
    CHECK(seen.ended_with(base::CloseReason::slow_consumer));
  }
  SUBCASE("a single byte") {
    wire.set_room(1);
    end_turn();
    pass(heartbeat_ms);
    CHECK(seen.closings == 0);
    pass(heartbeat_ms);
    CHECK(seen.closings == 1);
  }
}

TEST_CASE_FIXTURE(StreamFixture, "http stream: what is queued just before a heartbeat is not stuck") {
  open();
  end_turn();
  pass(heartbeat_ms);
  send("fresh");
  clock.advance(heartbeat_ms);
  deadlines.sweep();
  send("more");
  end_turn();
  CHECK(wire.received() == std::string(heartbeat) + "freshmore");
  pass(heartbeat_ms);
  CHECK(seen.closings == 0);
}

TEST_CASE_FIXTURE(StreamFixture,
                  "http stream: closing sends what is owed, the session's last word and the last chunk") {
  open();
  send("owed ");
  seen.on_close = [this] { send("bye"); };
  client->close(base::CloseReason::server_shutdown, {});
  send("too late");
  CHECK(client->close_code() == 1012);
  CHECK(seen.closed.empty());  // not from within the call
  end_turn();
  CHECK(wire.received() == "owed bye" + std::string(last_chunk));
  CHECK(seen.ended_with(base::CloseReason::server_shutdown));
  CHECK(wire.is_shut_down());
  CHECK(linger.size() == 1);
  wire.end();
  end_turn();
  CHECK_FALSE(wire.is_open());
  CHECK(admissions.connections() == 0);
}

TEST_CASE_FIXTURE(StreamFixture,
                  "http stream: without chunks the end of the connection is the end of the body") {
  open({BodyCoding::Length::until_close, false});
  seen.on_close = [this] { send("bye"); };
  client->close(base::CloseReason::server_shutdown, {});
  end_turn();
  CHECK(wire.received() == "bye");
  CHECK(wire.is_shut_down());
}

TEST_CASE_FIXTURE(StreamFixture, "http stream: closing twice is the same as once") {
  open();
  client->close(base::CloseReason::server_shutdown, {});
  client->close(base::CloseReason::overloaded, {});
  end_turn();
  CHECK(seen.closings == 1);
  CHECK(wire.received() == last_chunk);
  CHECK(seen.ended_with(base::CloseReason::server_shutdown));
}

TEST_CASE_FIXTURE(StreamFixture, "http stream: whoever does not take its end in time is left") {
  open();
  wire.set_room(0);
  client->close(base::CloseReason::server_shutdown, {});
  end_turn();
  pass(close_timeout_ms - 1);
  CHECK(seen.closed.empty());
  pass(1);
  CHECK(seen.ended_with(base::CloseReason::server_shutdown));
}

TEST_CASE_FIXTURE(StreamFixture, "http stream: exactly the queue limit may wait") {
  open();
  wire.set_room(0);
  send(std::string(queue_bytes, 'x'));
  end_turn();
  CHECK(seen.closings == 0);
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(wire.received() == std::string(queue_bytes, 'x'));
}

TEST_CASE_FIXTURE(StreamFixture,
                  "http stream: more than the limit may pass in one turn as long as the socket takes it") {
  open();
  send(std::string(50 * queue_bytes, 'x'));
  end_turn();
  CHECK(wire.received().size() == 50 * queue_bytes);
  CHECK(seen.closings == 0);
}

TEST_CASE_FIXTURE(
    StreamFixture,
    "http stream: past the limit only the piece under way, the last word and the end still go") {
  open();
  wire.set_room(3);
  send("piece under way ");
  end_turn();
  seen.on_close = [this] { send("bye"); };
  send(std::string(queue_bytes, 'x'));
  end_turn();
  CHECK(seen.closings == 1);
  CHECK(client->close_code() == 1013);
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(wire.received() == "piece under way bye" + std::string(last_chunk));
  CHECK(seen.ended_with(base::CloseReason::slow_consumer));
}

TEST_CASE_FIXTURE(
    StreamFixture,
    "http stream: whose beginning has to be dropped is told nothing that it could not understand") {
  open({BodyCoding::Length::chunked, true}, head);
  SUBCASE("nothing has left") { wire.set_room(0); }
  SUBCASE("part of the head has left") { wire.set_room(3); }
  SUBCASE("the head has left, the beginning of the body has not") { wire.set_room(head.size()); }
  end_turn();
  seen.on_close = [this] { send("bye"); };
  send(std::string(queue_bytes, 'x'));
  end_turn();
  CHECK(seen.closings == 1);
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(head.starts_with(wire.received()));
  CHECK(seen.ended_with(base::CloseReason::slow_consumer));
}

TEST_CASE_FIXTURE(StreamFixture,
                  "http stream: a client that ends its side leaves, and gets what it is owed") {
  open();
  send("owed");
  wire.end();
  CHECK(seen.closings == 1);
  send("too late");
  end_turn();
  CHECK(wire.received() == "owed" + std::string(last_chunk));
  CHECK(seen.ended_with(base::CloseReason::client_closed));
  CHECK_FALSE(wire.is_open());
}

TEST_CASE_FIXTURE(StreamFixture, "http stream: a broken connection is lost at once") {
  open();
  send("owed");
  wire.fail("reset");
  CHECK(seen.ended_with(base::CloseReason::connection_lost));
  end_turn();
  CHECK(wire.received().empty());
}

TEST_CASE_FIXTURE(StreamFixture,
                  "http stream: a connection that breaks while it is closed ends for the first reason") {
  open();
  wire.set_room(0);
  client->close(base::CloseReason::server_shutdown, {});
  end_turn();
  SUBCASE("reset") { wire.fail("reset"); }
  SUBCASE("ended, then reset") {
    wire.end();
    wire.fail("reset");
  }
  CHECK(seen.ended_with(base::CloseReason::server_shutdown));
}

TEST_CASE_FIXTURE(StreamFixture, "http stream: what the client sends is thrown away, up to a bound") {
  constexpr std::size_t bound = 16'384;
  SUBCASE("at it") {
    open();
    wire.send(std::string(bound, 'x'));
    end_turn();
    CHECK(seen.closings == 0);
  }
  SUBCASE("past it") {
    open();
    wire.send(std::string(bound, 'x'));
    wire.send("x");
    CHECK(seen.closings == 0);  // not from within an event
    end_turn();
    CHECK(seen.ended_with(base::CloseReason::policy_violation));
    CHECK(wire.received() == last_chunk);
  }
  SUBCASE("past it with what came behind the request") {
    open(chunked, {}, {}, bound);
    end_turn();
    CHECK(seen.closings == 0);
    wire.send("x");
    end_turn();
    CHECK(seen.ended_with(base::CloseReason::policy_violation));
  }
  SUBCASE("all of it behind the request") {
    open(chunked, {}, {}, bound + 1);
    end_turn();
    CHECK(seen.ended_with(base::CloseReason::policy_violation));
  }
  CHECK(seen.messages.empty());
}

TEST_CASE_FIXTURE(StreamFixture, "http stream: that all is gone is told once for each time it is asked") {
  open();
  client->notify_when_drained();
  CHECK(seen.drained == 0);
  end_turn();
  CHECK(seen.drained == 1);
  end_turn();
  CHECK(seen.drained == 1);
  wire.set_room(1);
  send("two");
  client->notify_when_drained();
  end_turn();
  CHECK(seen.drained == 1);
  wire.set_room(2);
  end_turn();
  CHECK(seen.drained == 2);
}

TEST_CASE_FIXTURE(StreamFixture, "http stream: clients and bytes are counted by kind") {
  open_in(ndjson_shared, {BodyCoding::Length::until_close, false}, head);
  CHECK(shared.stats.open == 0);
  CHECK(ndjson_shared.stats.open == 1);
  wire.set_room(head.size() + 4);
  send("queued");
  end_turn();
  CHECK(ndjson_shared.stats.wire_bytes_out == head.size() + 4);
  CHECK(client->traffic().bytes_out == head.size() + 4);
  CHECK(client->traffic().messages_in == 0);
  CHECK(client->peer_address() == "192.0.2.1");
  client.reset();
  CHECK(ndjson_shared.stats.open == 0);
}

TEST_CASE_FIXTURE(StreamFixture,
                  "http stream: where memory is short what it holds is dropped, and it says so") {
  shared.settings.queue_bytes = 1'000'000;
  open();
  wire.set_room(3);
  send("piece under way ");
  end_turn();
  send(std::string(100'000, 'x'));
  end_turn();
  seen.on_close = [this] { send("bye"); };
  CHECK(admissions.held_bytes() >= 100'000);
  CHECK(admissions.shed_largest(1).bytes >= 100'000);
  CHECK(seen.closings == 1);
  CHECK(shared.stats.queued_bytes < 100);
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(wire.received() == "piece under way bye" + std::string(last_chunk));
  CHECK(seen.ended_with(base::CloseReason::slow_consumer));
  CHECK(admissions.held_bytes() == 0);
  CHECK(shared.stats.queued_bytes == 0);
}

TEST_CASE_FIXTURE(StreamFixture, "http stream: aborted, it says nothing more") {
  open();
  send("queued");
  client->abort();
  end_turn();
  pass(heartbeat_ms);
  CHECK(wire.received().empty());
  CHECK(seen.closings == 0);
  CHECK(seen.closed.empty());
}

namespace {

struct Compressing {
  roomcast::test::FakeClock clock;
  base::TimeBudget compressing{clock, 5'000};
  SseFraming sse;
  NdjsonFraming ndjson;
  StreamFramings events{sse, compressing};
  StreamFramings lines{ndjson, compressing};
};

}  // namespace

TEST_CASE_FIXTURE(Compressing, "stream framing: one object for each form, the same for all its clients") {
  std::vector<const StreamFraming*> all;
  for (StreamFramings* const framings : {&events, &lines}) {
    for (const auto length : {BodyCoding::Length::chunked, BodyCoding::Length::until_close}) {
      for (const bool gzip : {false, true}) {
        const StreamFraming& framing = framings->for_form({length, gzip});
        CHECK(&framing == &framings->for_form({length, gzip}));
        CHECK(framing.names_events() == (framings == &events));
        CHECK(std::find(all.begin(), all.end(), &framing) == all.end());
        all.push_back(&framing);
      }
    }
  }
}

TEST_CASE_FIXTURE(Compressing, "stream framing: a unit is one piece of the body") {
  const session::OutgoingPayload unit{dialect::PayloadForm::text, "{}", {}, {}};
  std::string plain;
  lines.for_form({BodyCoding::Length::until_close, false}).frame(unit, plain);
  CHECK(plain == "{}\n");
  std::string chunked;
  events.for_form({BodyCoding::Length::chunked, false}).frame(unit, chunked);
  CHECK(chunked == "a\r\ndata: {}\n\n\r\n");
  std::string packed;
  lines.for_form({BodyCoding::Length::chunked, true}).frame(unit, packed);
  const auto& framing = lines.for_form({BodyCoding::Length::chunked, true});
  const std::string wire = std::string(framing.start({}).view()) + packed;
  CHECK(roomcast::test::Gunzip().read(roomcast::test::Dechunked(wire).content) == "{}\n");
}

TEST_CASE_FIXTURE(
    Compressing, "stream framing: what there is no time to compress goes as stored blocks of the same body") {
  const auto& framing = lines.for_form({BodyCoding::Length::chunked, true});
  std::string expected;
  std::string wire(framing.start({}).view());
  for (const std::size_t size :
       {std::size_t{10}, std::size_t{65'534}, std::size_t{65'535}, std::size_t{200'000}}) {
    for (const bool in_time : {true, false}) {
      CAPTURE(size);
      const std::string payload(size, in_time ? 'a' : 'b');
      clock.advance(in_time ? 1'000 : 0);
      const std::size_t before = wire.size();
      clock.us_between_looks = 20'000;
      const std::size_t counted = framing.frame({dialect::PayloadForm::text, payload, {}, {}}, wire);
      clock.us_between_looks = 0;
      CHECK(counted == (in_time ? size + 1 : 0));
      if (!in_time) CHECK(wire.size() - before > size);
      expected += payload + '\n';
    }
  }
  CHECK(roomcast::test::Gunzip().read(roomcast::test::Dechunked(wire).content) == expected);
}

}  // namespace http_stream_test
