// Clients that send faster than they may and can't be told so.
#include "session/held_message.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "dialect/raw.h"
#include "part/settings.h"
#include "session/session_table.h"
#include "support/fake_transport.h"
#include "support/hub_fixture.h"

namespace held_message_test {

using namespace roomcast;
using test::FakeTransport;

namespace {

struct Fixture : test::HubFixture<> {
  Fixture() {
    access.rates.set_clock(clock);
    set_rate(2);
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;
  ~Fixture() {
    table.abort_all();
    turn();
  }

  /// Of publishes over a connection, in a second; one at once.
  void set_rate(std::uint64_t rate) {
    access::Rates::Limits limits;
    limits.connection[static_cast<std::size_t>(access::Resource::publishes)] = rate;
    limits.burst_ms = 0;
    access.rates.set_limits(limits);
  }
  FakeTransport::Wire& join() {
    wires.push_back(std::make_unique<FakeTransport::Wire>());
    table.open(std::make_unique<FakeTransport>(*wires.back(), framing), dialect, {"lobby", ""});
    return *wires.back();
  }
  void say(FakeTransport::Wire& wire, std::string_view text) {
    REQUIRE_FALSE(wire.paused);
    wire.events->on_message(dialect::PayloadForm::text, text);
    turn();
  }
  /// Says something whenever `wire` is read, every `ms` milliseconds, until it has been closed. Returns after
  /// how many milliseconds that was; at most `most_ms`.
  std::int64_t flood(FakeTransport::Wire& wire, std::int64_t most_ms, std::int64_t ms = 50) {
    const std::int64_t begin = clock.now_ms;
    while (wire.closes.empty() && clock.now_ms - begin < most_ms) {
      while (!wire.paused && wire.closes.empty())
        say(wire, "x");
      pass(ms);
    }
    return clock.now_ms - begin;
  }

  std::vector<std::unique_ptr<FakeTransport::Wire>> wires;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  test::BracketFraming framing;
  dialect::Raw dialect;
  hub::IdempotentPublisher publisher{hub, scheduler, clock, deadlines, 100'000};
  access::Control access;
  service::Rooms service{hub, publisher, access, part::service_limits({})};
  session::SessionTable table{service, scheduler, clock, log, deadlines, part::session_settings({})};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "held message: it is published as soon as it may be, and nothing is read before") {
  auto& ada = join();
  auto& bob = join();
  say(ada, "1");
  CHECK_FALSE(ada.paused);
  say(ada, "2");
  CHECK(ada.paused);
  CHECK(bob.sent == "(t:1)");
  CHECK(ada.events->held_bytes() > 0);
  pass(499);
  CHECK(ada.paused);
  pass(1);
  CHECK_FALSE(ada.paused);
  CHECK(bob.sent == "(t:1)(t:2)");
  CHECK(ada.closes.empty());
  CHECK(access.refused.count(base::Refusal::Code::rate_limited) == 1);
  say(bob, "other connections go on");
  CHECK_FALSE(bob.paused);
}

TEST_CASE_FIXTURE(
    Fixture, "held message: a client that goes on without a break is closed after 30 s and its first wait") {
  auto& ada = join();
  const std::int64_t took = flood(ada, 60'000);
  CHECK(ada.closes == std::vector{base::CloseReason::rate_limited});
  CHECK(took >= 30'500);
  CHECK(took <= 31'100);
}

TEST_CASE_FIXTURE(Fixture, "held message: also where a wait ends late, so that a few messages pass at once") {
  set_rate(100);
  auto& ada = join();
  const std::int64_t took = flood(ada, 60'000);
  CHECK(ada.closes == std::vector{base::CloseReason::rate_limited});
  CHECK(took <= 31'000);
}

TEST_CASE_FIXTURE(Fixture, "held message: with a break now and then it goes on for ever") {
  auto& ada = join();
  for (int i = 0; i < 10; ++i) {
    CHECK(flood(ada, 20'000) >= 20'000);
    pass(1'600);
    REQUIRE_FALSE(ada.paused);
    say(ada, "after a break");
  }
  CHECK(ada.closes.empty());
}

TEST_CASE_FIXTURE(Fixture, "held message: a wait of its own that is long counts for a minute") {
  service::RoomRule slow;
  slow.slow_mode_ms = 3'600'000;
  service.set_rules(service::RoomRules(slow, {}), 1'000);
  auto& ada = join();
  const std::int64_t took = flood(ada, 200'000);
  CHECK(ada.closes == std::vector{base::CloseReason::rate_limited});
  CHECK(took >= 90'000);
  CHECK(took <= 90'100);
}

TEST_CASE_FIXTURE(Fixture, "held message: it goes with its session, and what is refused for good closes it") {
  auto& ada = join();
  auto& bob = join();
  for (auto* wire : {&ada, &bob}) {
    say(*wire, "1");
    say(*wire, "2");
    CHECK(wire->paused);
  }
  const std::string before = bob.sent;
  ada.events->on_closing(base::CloseReason::client_closed, {});
  ada.events->on_closed(base::CloseReason::client_closed);
  service::RoomRule keys;
  keys.publish_only_keys = true;
  service.set_rules(service::RoomRules(keys, {}), 1'000);
  pass(500);
  CHECK(bob.sent == before);
  CHECK(bob.closes == std::vector{base::CloseReason::forbidden});
}

}  // namespace held_message_test
