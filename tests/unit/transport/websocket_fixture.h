#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/fake_clock.h"
#include "support/fake_scheduler.h"
#include "support/memory_stream.h"
#include "transport/websocket.h"
#include "transport/websocket_part.h"
#include "unit/ws/client.h"
#include "ws/frame_writer.h"

/// One WebSocket whose peer is in the hands of the test.
namespace roomcast::transport::test {

namespace peer = ws::test;
using roomcast::test::MemoryWire;

inline std::string text_from_peer(std::string_view payload) {
  return peer::frame(peer::fin | peer::text, payload);
}

inline std::string from_server(ws::Opcode opcode, std::string_view payload) {
  std::string out;
  ws::append_frame(out, opcode, payload);
  return out;
}

inline std::string close_from_server(int code, std::string_view reason = {}) {
  std::string out;
  ws::append_close(out, static_cast<ws::CloseCode>(code), reason);
  return out;
}

/// Writes down what it is told.
struct Recorder final : session::TransportEvents {
  void on_message(dialect::PayloadForm form, std::string_view bytes) override {
    messages.push_back((form == dialect::PayloadForm::text ? "t:" : "b:") + std::string(bytes));
    if (then) then();
  }
  void on_drained() override { ++drained; }
  void on_congested() override { ++congested; }
  bool awaits_own_messages() override { return awaits; }
  std::uint16_t close_code(base::CloseReason reason) const override {
    return static_cast<std::uint16_t>(TransportEvents::close_code(reason) + codes);
  }
  void on_closing(base::CloseReason /*reason*/, std::string_view /*text*/) override {
    ++closings;
    if (on_close) on_close();
  }
  void on_closed(base::CloseReason reason) override { closed.push_back(reason); }

  /// Whether on_closed came, once, with this reason.
  [[nodiscard]] bool ended_with(base::CloseReason reason) const {
    return closed == std::vector<base::CloseReason>{reason};
  }

  std::vector<std::string> messages;
  std::function<void()> then;      ///< at each message
  std::function<void()> on_close;  ///< at on_closing
  bool awaits = false;             ///< messages of its own
  std::uint16_t codes = 0;         ///< added to the close codes
  int drained = 0;
  int congested = 0;
  int closings = 0;
  std::vector<base::CloseReason> closed;
};

struct Fixture {
  static constexpr std::int64_t ping_ms = 25'000;
  static constexpr std::int64_t pong_timeout_ms = 10'000;
  static constexpr std::int64_t close_timeout_ms = 5'000;
  static constexpr std::size_t queue_bytes = 100;

  Fixture() = default;
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() {
    client.reset();
    end_turn();
  }

  static WebSocketSettings websocket_settings() {
    WebSocketSettings settings = roomcast::transport::websocket_settings({});
    settings.ping_ms = ping_ms;
    settings.pong_timeout_ms = pong_timeout_ms;
    settings.close_timeout_ms = close_timeout_ms;
    settings.queue_bytes = queue_bytes;
    settings.reader = {1'000, 10};
    return settings;
  }

  void open(std::string leftover = {}, std::string_view unsent = {},
            const std::optional<ws::DeflateParameters>& deflate = {}, const WebSocketOptions& options = {}) {
    http::HandOver connection{wire.make_stream(), {}, std::move(leftover), {}, "192.0.2.1"};
    connection.unsent.push(base::Bytes::copy_of(unsent));
    CHECK(admissions.admit("192.0.2.1", false, connection.admission) == net::ExceededLimit::none);
    client = std::make_unique<WebSocket>(shared, std::move(connection), deflate, options);
    client->start(seen);
  }
  void send(std::string_view wire_bytes) const { client->send(base::Bytes::copy_of(wire_bytes)); }
  void end_turn() {
    struct NoWork final : base::SlicedWork {
      bool do_slice() override { return false; }
    } no_work;
    scheduler.run_turn(no_work);
  }
  void pass(std::int64_t ms) {
    clock.advance(ms);
    deadlines.sweep();
    end_turn();
  }

  roomcast::test::FakeScheduler scheduler;
  roomcast::test::FakeClock clock;
  base::Deadlines deadlines{clock, 50};
  net::AdmissionControl admissions{{10, 10}};
  net::Linger linger{scheduler, deadlines, {}};
  base::TimeBudget compressing{clock, 5'000};
  WebSocketFramings framings{6, 128, compressing};
  WebSocketShared shared{scheduler, deadlines, linger, framings, websocket_settings()};
  MemoryWire wire;
  Recorder seen;
  std::unique_ptr<WebSocket> client;
};

}  // namespace roomcast::transport::test
