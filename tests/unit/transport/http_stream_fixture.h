#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "transport/http_stream.h"
#include "transport/stream_content.h"
#include "unit/transport/websocket_fixture.h"

/// One client of an endless answer, in the hands of the test.
namespace roomcast::transport::test {

struct StreamFixture {
  static constexpr std::int64_t heartbeat_ms = 25'000;
  static constexpr std::int64_t close_timeout_ms = 5'000;
  static constexpr std::size_t queue_bytes = 100;
  static constexpr StreamForm chunked{BodyCoding::Length::chunked, false};
  static constexpr std::string_view head = "head\r\n\r\n";
  static constexpr std::string_view last_chunk = "0\r\n\r\n";
  static constexpr std::string_view heartbeat = "3\r\n:\n\n\r\n";

  StreamFixture() = default;
  StreamFixture(const StreamFixture&) = delete;
  StreamFixture& operator=(const StreamFixture&) = delete;
  ~StreamFixture() {
    client.reset();
    end_turn();
  }

  /// An EventSource client. `unsent`: what of the head the socket has not taken yet.
  void open(const StreamForm& form = chunked, std::string_view unsent = {}, std::string_view opening = {},
            std::size_t leftover_bytes = 0) {
    open_in(shared, form, unsent, opening, leftover_bytes);
  }
  void open_in(HttpStreamShared& all, const StreamForm& form, std::string_view unsent = {},
               std::string_view opening = {}, std::size_t leftover_bytes = 0) {
    http::HandOver connection{wire.make_stream(), {}, std::string(leftover_bytes, 'x'), {}, "192.0.2.1"};
    connection.unsent.push(base::Bytes::copy_of(unsent));
    CHECK(admissions.admit("192.0.2.1", false, connection.admission) == net::ExceededLimit::none);
    client = std::make_unique<HttpStream>(all, all.framings.for_form(form), std::move(connection), opening);
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
  base::TimeBudget compressing{clock, 5'000};
  net::AdmissionControl admissions{{10, 10}};
  net::Linger linger{scheduler, deadlines, {}};
  static constexpr HttpStreamSettings settings{heartbeat_ms, close_timeout_ms, queue_bytes, true};
  SseFraming sse;
  NdjsonFraming ndjson_lines;
  HttpStreamShared shared{scheduler, deadlines, linger, settings, StreamFramings(sse, compressing)};
  HttpStreamShared ndjson_shared{scheduler, deadlines, linger, settings,
                                 StreamFramings(ndjson_lines, compressing)};
  MemoryWire wire;
  Recorder seen;
  std::unique_ptr<HttpStream> client;
};

}  // namespace roomcast::transport::test
