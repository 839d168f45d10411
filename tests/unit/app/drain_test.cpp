#include "app/drain.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "support/memory_stream.h"
#include "transport/poll_part.h"
#include "unit/app/server_parts.h"

namespace drain_test {

using namespace roomcast;
using test::MemoryWire;

namespace {

/// Clients that complete the close handshake, one turn after they were asked to close.
class PoliteClients final : private loop::Timer::Listener {
 public:
  explicit PoliteClients(test::ServerParts& parts) : parts_(parts), timer_(parts.loop, *this) {
    timer_.start_every(1);
  }

 private:
  void on_timer(loop::Timer& /*timer*/) override {
    for (auto& wire : parts_.wires) {
      if (!wire.closes.empty() && !wire.destroyed) wire.events->on_closed(wire.closes.front());
    }
  }

  test::ServerParts& parts_;
  loop::Timer timer_;
};

struct Fixture : test::ServerParts {
  /// How long it takes from `begin` until the loop is stopped.
  std::int64_t drain_for(std::int64_t drain_ms, std::int64_t grace_ms) {
    loop.run_turn_without_waiting();  // brings the loop's time up to date
    const std::int64_t begun_ms = loop.monotonic_ms();
    drain.begin(drain_ms, grace_ms);
    CHECK(run());
    return loop.monotonic_ms() - begun_ms;
  }

  /// Polls that wait.
  [[nodiscard]] std::size_t polls() { return parts_of_class<transport::PollPart>().at(0)->clients(); }

  app::Drain drain{loop, parts, http, sessions, log};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "drain: all clients are asked to come back, and the loop stops once they have gone") {
  const PoliteClients polite(*this);
  join_many(3);
  CHECK_FALSE(drain.has_begun());
  CHECK(drain_for(15'000, 15'000) < 15'000);
  CHECK(drain.has_begun());
  CHECK(sessions.size() == 0);
  for (const auto& wire : wires)
    CHECK(wire.closes == std::vector<base::CloseReason>{base::CloseReason::server_shutdown});
}

TEST_CASE_FIXTURE(Fixture, "drain: a few are closed at once, however much time there is") {
  SUBCASE("as many as may come back unnoticed") {
    join_many(8);
    drain.begin(60'000, 0);
    CHECK(closed_clients() == 8);
  }
  SUBCASE("one more waits for the next tick") {
    join_many(9);
    drain.begin(60'000, 0);
    CHECK(closed_clients() == 8);
    CHECK(run_until([&] { return closed_clients() == 9; }));
  }
}

TEST_CASE_FIXTURE(Fixture, "drain: many are closed in equal shares over the drain time") {
  join_many(300);
  drain.begin(150, 15'000);  // three ticks, however late
  CHECK(closed_clients() == 101);
  CHECK(run_until([&] { return closed_clients() > 101; }));
  CHECK(closed_clients() == 202);
  CHECK(run_until([&] { return closed_clients() > 202; }));
  CHECK(closed_clients() == 300);
}

TEST_CASE_FIXTURE(Fixture, "drain: without drain time all are closed at once") {
  join_many(300);
  drain.begin(0, 0);
  CHECK(closed_clients() == 300);
}

TEST_CASE_FIXTURE(Fixture,
                  "drain: a client that does not close is waited for no longer than drain time and grace") {
  join_many(1);
  CHECK(drain_for(60, 60) >= 120);
  CHECK(sessions.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "drain: most of the time in which the process stood still does not count") {
  join_many(1);
  loop.run_turn_without_waiting();
  const std::int64_t begun_ms = loop.monotonic_ms();
  drain.begin(0, 1'000);
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));  // as if it had been stopped
  CHECK(run());
  CHECK(loop.monotonic_ms() - begun_ms >= 2'000);
}

TEST_CASE_FIXTURE(Fixture, "drain: connections whose last bytes are still on their way are waited for") {
  MemoryWire wire;
  linger.add(wire.make_stream(), {}, {});
  SUBCASE("until they have said FIN") {
    wire.end();
    CHECK(drain_for(15'000, 15'000) < 15'000);
    CHECK_FALSE(wire.is_open());
  }
  SUBCASE("or time is over") {
    CHECK(drain_for(0, 100) >= 100);
    CHECK(wire.is_open());
  }
}

TEST_CASE_FIXTURE(Fixture, "drain: waiting polls are answered a share at a time, like other clients") {
  std::deque<MemoryWire> waiting(9);
  for (MemoryWire& wire : waiting) {
    http.accept(wire.make_stream(), {});
    wire.send("GET /rooms/lobby?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  loop.run_turn_without_waiting();
  REQUIRE(polls() == 9);
  drain.begin(15'000, 15'000);
  CHECK(polls() == 1);
  CHECK(run_until([&] { return polls() == 0; }));
  for (MemoryWire& wire : waiting)
    wire.end();
  CHECK(run());
  CHECK(http.connections() == 0);
  for (const MemoryWire& wire : waiting) {
    CHECK(wire.received().find("Connection: close\r\n") != std::string::npos);
    CHECK(wire.received().find(R"("gap":null,"messages":[]})") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "drain: the clients of all parts share the drain time") {
  struct Clients final : part::Part {
    [[nodiscard]] std::size_t clients() const override { return open; }
    std::size_t close_some(std::size_t count) override {
      const std::size_t closed = std::min(count, open);
      open -= closed;
      return closed;
    }
    std::size_t open = 10;
  };
  auto made = std::make_unique<Clients>();
  Clients& clients = *made;
  parts.push_back(std::move(made));
  join_many(5);
  drain.begin(60'000, 0);
  CHECK(closed_clients() == 5);
  CHECK(clients.open == 7);
  CHECK(run_until([&] { return clients.open == 0; }));
}

TEST_CASE_FIXTURE(Fixture, "drain: idle HTTP connections are closed at once") {
  MemoryWire wire;
  http.accept(wire.make_stream(), {});
  CHECK(http.connections() == 1);
  drain.begin(15'000, 15'000);
  wire.end();
  CHECK(run());
  CHECK(http.connections() == 0);
  CHECK_FALSE(wire.is_open());
}

}  // namespace drain_test
