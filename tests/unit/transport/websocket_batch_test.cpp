// What happens to a WebSocket between the flush that leaves a write to the batch and the batch.
#include <doctest/doctest.h>

#include <string>

#include "unit/transport/websocket_fixture.h"

namespace roomcast::transport::test::websocket_batch_test {

namespace {

struct BatchFixture : Fixture {
  BatchFixture() {
    open();
    wire.defer_writes();
  }
  /// Ends the turn up to the batch.
  void post(std::string_view bytes) {
    send(bytes);
    end_turn();
    REQUIRE(wire.received().empty());
  }
};

}  // namespace

TEST_CASE_FIXTURE(BatchFixture,
                  "batched write: it leaves with the batch, whole, and no more is heard of it") {
  post("abc");
  CHECK(client->queued_bytes() == 0);
  CHECK(wire.send_deferred());
  CHECK(wire.received() == "abc");
  CHECK(client->traffic().bytes_out == 3);
  end_turn();
  CHECK_FALSE(wire.send_deferred());
}

TEST_CASE_FIXTURE(BatchFixture, "batched write: where somebody waits for it to leave it is written at once") {
  client->notify_when_drained();
  send("abc");
  end_turn();
  CHECK_FALSE(wire.send_deferred());
  CHECK(wire.received() == "abc");
  CHECK(seen.drained == 1);
}

TEST_CASE_FIXTURE(BatchFixture,
                  "batched write: while nothing is read, it is written at once, for what is taken shows that "
                  "the client lives") {
  client->pause();
  send("abc");
  end_turn();
  CHECK_FALSE(wire.send_deferred());
  CHECK(wire.received() == "abc");
}

TEST_CASE_FIXTURE(BatchFixture, "batched write: what comes before the batch has gone follows in the next") {
  post("abc");
  send("def");
  CHECK(wire.send_deferred());
  CHECK(wire.received() == "abc");
  end_turn();
  CHECK(wire.send_deferred());
  CHECK(wire.received() == "abcdef");
  CHECK(client->traffic().bytes_out == 6);
}

TEST_CASE_FIXTURE(BatchFixture,
                  "batched write: the rest of a frame goes before a ping, and that before messages") {
  wire.set_room(2);
  post("abc");
  wire.send(peer::frame(peer::fin | peer::ping, ""));
  send("def");
  CHECK(wire.send_deferred());
  CHECK(wire.received() == "ab");
  CHECK(client->traffic().bytes_out == 2);
  CHECK(client->queued_bytes() == 6);
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(wire.received() == "abc" + from_server(ws::Opcode::pong, "") + "def");
}

TEST_CASE_FIXTURE(BatchFixture,
                  "batched write: of which nothing was taken it stands behind a ping, before messages") {
  wire.set_room(0);
  post("abc");
  wire.send(peer::frame(peer::fin | peer::ping, ""));
  send("def");
  CHECK(wire.send_deferred());
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(wire.received() == from_server(ws::Opcode::pong, "") + "abcdef");
}

TEST_CASE_FIXTURE(BatchFixture, "batched write: whoever reads is not slow, however much came meanwhile") {
  post("abc");
  send(std::string(queue_bytes + 1, 'x'));
  CHECK(wire.send_deferred());
  CHECK(seen.closings == 0);
  end_turn();
  CHECK(wire.send_deferred());
  CHECK(wire.received().size() == 3 + queue_bytes + 1);
}

TEST_CASE_FIXTURE(BatchFixture,
                  "batched write: at the limit a client that does not read is kept, past it closed") {
  wire.set_room(1);
  post("a" + std::string(queue_bytes, 'x'));
  CHECK(wire.send_deferred());
  CHECK(client->queued_bytes() == queue_bytes);
  CHECK(seen.closings == 0);
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  (void)wire.take_received();
  wire.set_room(1);
  post("a" + std::string(queue_bytes + 1, 'x'));
  CHECK(wire.send_deferred());
  CHECK(seen.closings == 1);
}

TEST_CASE_FIXTURE(BatchFixture,
                  "batched write: a close that comes meanwhile follows it, and then it is over") {
  post("abc");
  wire.send(peer::close_frame(1000));
  CHECK(wire.send_deferred());
  end_turn();
  CHECK(wire.received() == "abc" + close_from_server(1000));
  CHECK(seen.ended_with(base::CloseReason::client_closed));
}

TEST_CASE_FIXTURE(BatchFixture, "batched write: after an abort there is nothing more to it") {
  wire.set_room(1);
  post("abc");
  client->abort();
  CHECK(wire.send_deferred());
  end_turn();
  CHECK(seen.closed.empty());
  CHECK(wire.received() == "a");
}

}  // namespace roomcast::transport::test::websocket_batch_test
