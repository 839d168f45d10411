// A session whose transport is replaced at random while messages are published: each arrives once, in order.
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "dialect/raw.h"
#include "part/settings.h"
#include "service/rooms.h"
#include "session/detached_transport.h"
#include "session/session_table.h"
#include "support/fake_engine.h"
#include "support/polling_transport.h"
#include "unit/transport/websocket_fixture.h"

namespace replace_transport_test {

using namespace roomcast;
using dialect::PayloadForm;
using test::PollingTransport;

namespace {

constexpr session::DetachLimits generous{60'000, 10'000'000};

/// What a client has got, a line for each payload: `t` or `b`, then the number it begins with.
struct Received final : dialect::PayloadWriter {
  void write(PayloadForm form, std::string_view bytes, bool /*more*/) override {
    lines.push_back((form == PayloadForm::text ? "t" : "b") + std::string(bytes.substr(0, bytes.find(' '))));
  }
  /// Reads whole frames of a server (RFC 6455 section 5.2) off `wire`.
  void read_frames(std::string& wire) {
    std::size_t at = 0;
    for (;;) {
      std::size_t header = 2;
      if (wire.size() < at + header) break;
      const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(wire[at + i]); };
      std::size_t size = byte(1);
      if (size >= 126) {
        const std::size_t extended = size == 126 ? 2 : 8;
        header += extended;
        if (wire.size() < at + header) break;
        size = 0;
        for (std::size_t i = 0; i < extended; ++i)
          size = size << 8U | byte(2 + i);
      }
      if (wire.size() < at + header + size) break;
      const unsigned opcode = byte(0) & 15U;
      const std::string_view payload = std::string_view(wire).substr(at + header, size);
      if (opcode <= 2) write(opcode == 1 ? PayloadForm::text : PayloadForm::binary, payload, false);
      at += header + size;
    }
    wire.erase(0, at);
  }

  std::vector<std::string> lines;
};

struct ReplaceFixture : transport::test::Fixture {
  ~ReplaceFixture() {
    table.abort_all();
    end_turn();
  }

  void turn() { scheduler.run_turn(hub); }
  /// Publishes a message of about `bytes`, every third one binary.
  void publish(std::size_t bytes) {
    const auto kind = ++published % 3 == 0 ? hub::Kind::binary : hub::Kind::text;
    expected.push_back((kind == hub::Kind::text ? "t" : "b") + std::to_string(published));
    hub.publish("lobby",
                {kind, base::Bytes::copy_of(std::to_string(published) + " " + std::string(bytes, 'x')), {}});
  }
  void publish_some(std::mt19937& random) {
    for (auto left = random() % 5; left > 0; --left)
      publish(random() % 20 == 0 ? random() % 90'000 : random() % 300);
  }

  std::unique_ptr<session::Transport> make_polling() {
    test::PollingSettings settings;
    settings.queue_bytes = 100'000'000;
    auto made = std::make_unique<PollingTransport>(scheduler, deadlines, settings, records);
    polling = made.get();
    return made;
  }
  std::unique_ptr<session::Transport> make_websocket() {
    http::HandOver connection{wire.make_stream(), {}, {}, {}, "192.0.2.1"};
    CHECK(admissions.admit("192.0.2.1", false, connection.admission) == net::ExceededLimit::none);
    return std::make_unique<transport::WebSocket>(shared, std::move(connection), std::nullopt,
                                                  transport::WebSocketOptions{});
  }

  session::Session& open(const hub::Interest& interest = {}) {
    session::Options options{"lobby", "", true, interest, true};
    id = table.open(make_polling(), raw, options);
    turn();
    return *table.find(id);
  }
  [[nodiscard]] bool is_open() { return table.find(id) != nullptr && table.find(id)->is_open(); }
  /// A request of the client, if there is a transport that it can come to.
  void poll() {
    if (polling != nullptr) (void)records.unframe(polling->take(), received);
  }
  bool replace(std::unique_ptr<session::Transport> next, bool is_polling) {
    PollingTransport* const before = is_polling ? polling : std::exchange(polling, nullptr);
    const bool is_replaced = table.find(id)->replace_transport(next);
    if (!is_replaced) polling = before;
    return is_replaced;
  }
  void detach() {
    if (table.find(id)->detach_transport(generous)) polling = nullptr;
  }
  void read_websocket() {
    websocket_bytes += wire.take_received();
    received.read_frames(websocket_bytes);
  }

  int published = 0;
  std::vector<std::string> expected;
  Received received;
  std::string websocket_bytes;
  base::SlotId id;
  PollingTransport* polling = nullptr;  // null: there is none

  test::RecordFraming records;
  test::FakeEngine engine;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  hub::Hub hub{{engine, scheduler, clock, deadlines}, part::hub_limits({}), part::room_rules({})};
  dialect::Raw raw;
  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms service{hub, publisher, access, part::service_limits({})};
  session::SessionTable table{service, scheduler, clock, log, deadlines, part::session_settings({})};
};

/// One session from its first poll to its WebSocket, all of it chosen by `seed`.
void run_session(unsigned seed) {
  CAPTURE(seed);
  std::mt19937 random(seed);
  ReplaceFixture f;
  f.shared.settings.queue_bytes = 10'000'000;
  hub::Interest interest;
  if (random() % 2 == 0) {
    for (auto left = random() % 60; left > 0; --left)
      f.publish(random() % 9'000);
    f.turn();
    interest.history = 1'000;
  }
  f.open(interest);
  for (int step = 0; step < 60; ++step) {
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
        f.publish_some(random);
        break;
      case 3:
        f.turn();
        break;
      case 4:
      case 5:
        f.poll();
        break;
      case 6:
        f.detach();
        break;
      case 7:
        PollingTransport* const old = f.polling;
        CHECK(f.replace(f.make_polling(), true));
        if (old != nullptr && random() % 2 == 0) old->lose();  // it is not the session's any more
        break;
    }
    REQUIRE(f.is_open());
  }
  f.wire.set_room(random() % 5'000);
  CHECK(f.replace(f.make_websocket(), false));
  for (int step = 0; step < 20; ++step) {
    f.publish_some(random);
    if (random() % 2 == 0) f.turn();
    f.read_websocket();
    f.wire.set_room(random() % 50'000);
  }
  f.wire.set_room(test::MemoryWire::unlimited);
  f.turn();
  f.read_websocket();
  CHECK(f.is_open());
  CHECK(f.received.lines == f.expected);
}

}  // namespace

TEST_CASE("replaced transport: every message arrives once and in order, whenever it is replaced") {
  for (unsigned seed = 1; seed <= 100; ++seed)
    run_session(seed);
}

TEST_CASE_FIXTURE(ReplaceFixture,
                  "replaced transport: one that cannot hand over stays, and so does the session") {
  open();
  polling->fails_to_hand_over = true;
  publish(10);
  turn();
  PollingTransport* const kept = polling;
  auto next = make_polling();
  PollingTransport* const offered = polling;
  polling = kept;
  CHECK_FALSE(table.find(id)->replace_transport(next));
  CHECK(next.get() == offered);
  poll();
  CHECK(received.lines == expected);
  CHECK(is_open());
}

TEST_CASE_FIXTURE(ReplaceFixture,
                  "replaced transport: a WebSocket cannot be, since its bytes may be on their way") {
  open();
  CHECK(replace(make_websocket(), false));
  turn();
  CHECK_FALSE(table.find(id)->detach_transport(generous));
  CHECK_FALSE(replace(make_polling(), true));
  CHECK(is_open());
}

TEST_CASE_FIXTURE(ReplaceFixture,
                  "replaced transport: what the client says is read from the new one, unless it is paused") {
  open();
  hub.set_overloaded(true);
  polling->say("waits");
  CHECK(replace(make_polling(), true));
  polling->say("behind it");
  turn();
  CHECK(table.find(id)->transport().traffic().messages_in == 0);
  hub.set_overloaded(false);
  turn();
  poll();
  CHECK(received.lines == std::vector<std::string>{"twaits", "tbehind"});
}

TEST_CASE_FIXTURE(ReplaceFixture,
                  "replaced transport: without a connection a session lives for a bounded time") {
  auto& session = open();
  CHECK(session.detach_transport({1'000, 1'000'000}));
  polling = nullptr;
  pass(950);
  CHECK(is_open());
  publish(10);
  turn();
  SUBCASE("until it has one again") {
    CHECK(replace(make_polling(), true));
    pass(10'000);
    poll();
    CHECK(received.lines == expected);
    CHECK(is_open());
  }
  SUBCASE("and is then lost") {
    pass(50);
    CHECK(table.find(id) == nullptr);
    CHECK(table.stats().closed[static_cast<std::size_t>(base::CloseReason::connection_lost)] == 1);
    CHECK(hub.subscribers("lobby") == 0);
  }
}

TEST_CASE_FIXTURE(ReplaceFixture, "replaced transport: without a connection a session holds bounded bytes") {
  auto& session = open();
  CHECK(session.detach_transport({60'000, 110}));
  publish(100);  // 102 bytes, 107 with what the framing adds
  turn();
  CHECK(is_open());
  SUBCASE("as many as it may") {
    CHECK(replace(make_polling(), true));
    poll();
    CHECK(received.lines == expected);
  }
  SUBCASE("more are too many") {
    publish(0);
    turn();
    CHECK(table.find(id) == nullptr);
    CHECK(table.stats().closed[static_cast<std::size_t>(base::CloseReason::slow_consumer)] == 1);
  }
}

TEST_CASE_FIXTURE(ReplaceFixture,
                  "replaced transport: without a connection a session can be closed, at once") {
  auto& session = open();
  CHECK(session.detach_transport(generous));
  session.close(base::CloseReason::server_shutdown, {});
  auto next = make_polling();
  CHECK_FALSE(session.replace_transport(next));
  turn();
  CHECK(table.find(id) == nullptr);
}

}  // namespace replace_transport_test
