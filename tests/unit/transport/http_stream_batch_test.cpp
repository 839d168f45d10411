// What happens to an endless answer between the flush that leaves a write to the batch and the batch.
#include <doctest/doctest.h>

#include <string>

#include "unit/transport/http_stream_fixture.h"

namespace roomcast::transport::test {

namespace {

struct BatchFixture : StreamFixture {
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

TEST_CASE_FIXTURE(BatchFixture, "batched stream: a write leaves with the batch, whole, and is counted once") {
  post("abc");
  CHECK(client->queued_bytes() == 0);
  CHECK(wire.send_deferred());
  CHECK(wire.received() == "abc");
  CHECK(client->traffic().bytes_out == 3);
  end_turn();
  CHECK_FALSE(wire.send_deferred());
}

TEST_CASE_FIXTURE(BatchFixture, "batched stream: a write that a subscriber waits for goes at once") {
  client->notify_when_drained();
  send("abc");
  end_turn();
  CHECK_FALSE(wire.send_deferred());
  CHECK(wire.received() == "abc");
  CHECK(seen.drained == 1);
}

TEST_CASE_FIXTURE(BatchFixture, "batched stream: what was not taken goes before what came meanwhile") {
  wire.set_room(2);
  post("abc");
  send("def");
  CHECK(wire.send_deferred());
  CHECK(wire.received() == "ab");
  CHECK(client->traffic().bytes_out == 2);
  CHECK(client->queued_bytes() == 4);
  CHECK(shared.stats.queued_bytes == 4);
  wire.set_room(MemoryWire::unlimited);
  end_turn();
  CHECK(wire.received() == "abcdef");
  CHECK(shared.stats.queued_bytes == 0);
}

TEST_CASE_FIXTURE(BatchFixture,
                  "batched stream: at the limit a client that does not read is kept, past it closed") {
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
                  "batched stream: a client that takes nothing of it for two heartbeats is closed") {
  wire.set_room(0);
  post("abc");
  CHECK(wire.send_deferred());
  pass(heartbeat_ms);
  CHECK(seen.closings == 0);
  pass(heartbeat_ms);
  CHECK(seen.closings == 1);
}

TEST_CASE_FIXTURE(BatchFixture, "batched stream: after an abort there is nothing more to it") {
  wire.set_room(1);
  post("abc");
  client->abort();
  CHECK(wire.send_deferred());
  end_turn();
  CHECK(seen.closed.empty());
  CHECK(wire.received() == "a");
}

}  // namespace roomcast::transport::test
