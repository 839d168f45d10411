#include "app/memory_guard.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/memory_stream.h"
#include "unit/app/server_parts.h"

using namespace roomcast;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool has_own_allocator = true;
#elif defined(__has_feature)
constexpr bool has_own_allocator = __has_feature(address_sanitizer);
#else
constexpr bool has_own_allocator = false;
#endif

constexpr std::size_t plenty = std::size_t{1} << 40U;

struct Fixture : test::ServerParts {
  /// Waits until the guard has looked once more, which it shows by seeing that something was allocated.
  bool guard_looks() {
    const std::size_t before = guard.used_bytes();
    ballast.emplace_back(100'000, 'x');
    return run_until([&] { return guard.used_bytes() > before + 50'000; });
  }

  std::vector<std::string> ballast{std::string(10'000'000, 'x')};
  app::MemoryGuard guard{loop, hub, sessions, http, log};
};

}  // namespace

// The sanitizer's allocator does not count for mallinfo2.
TEST_SUITE_BEGIN("memory guard" * doctest::skip(has_own_allocator));

TEST_CASE_FIXTURE(Fixture, "memory guard: within the limit nobody is bothered") {
  guard.set_limits({plenty, 800});
  join("lobby").queued = 100'000;
  CHECK(guard_looks());
  CHECK(guard.used_bytes() > 10'000'000);
  CHECK_FALSE(hub.overloaded());
  CHECK(told_to_close() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "memory guard: past the limit the slowest are closed and the hub takes nothing more") {
  guard.set_limits({1, 800});
  auto& fast = join("lobby");
  auto& slow = join("lobby");
  fast.queued = 100;  // an eighth of limits.queue_bytes
  slow.queued = 101;
  CHECK(guard_looks());
  CHECK(hub.overloaded());
  CHECK(fast.closes.empty());
  CHECK(slow.closes == std::vector<base::CloseReason>{base::CloseReason::slow_consumer});
}

TEST_CASE_FIXTURE(Fixture,
                  "memory guard: past the limit whoever does not read a large answer is closed too") {
  struct Large final : http::Handler {
    void handle(http::Exchange& exchange, std::string_view /*rest*/) override {
      exchange.respond(http::Response::of(200, "text/plain", std::string(5'000, 'x')));
    }
  } large;
  router.set_fallback(large);
  test::MemoryWire reading;
  test::MemoryWire stuck;
  for (auto* wire : {&reading, &stuck}) {
    http.accept(wire->make_stream(), {});
    wire->set_room(wire == &stuck ? 4'000 : test::MemoryWire::unlimited);
    wire->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  guard.set_limits({plenty, 8'000});
  CHECK(guard_looks());
  CHECK(stuck.is_open());
  guard.set_limits({1, 8'000});
  CHECK(guard_looks());
  CHECK(run_until([&] { return !stuck.is_open(); }));
  CHECK(reading.is_open());
}

TEST_CASE_FIXTURE(Fixture, "memory guard: it gives way again only when a tenth of the limit is free") {
  guard.set_limits({1, 800});
  CHECK(guard_looks());
  CHECK(hub.overloaded());
  guard.set_limits({guard.used_bytes() / 100 * 105, 800});
  CHECK(guard_looks());
  CHECK(hub.overloaded());
  guard.set_limits({guard.used_bytes() / 100 * 120, 800});
  CHECK(guard_looks());
  CHECK_FALSE(hub.overloaded());
}

TEST_CASE_FIXTURE(Fixture,
                  "memory guard: half of the history goes first, and nobody else if that is enough") {
  auto& slow = join("lobby");
  slow.queued = 100'000;
  for (int i = 0; i < 100; ++i)
    hub.publish("lobby", {hub::Kind::text, base::FrameRef::copy_of(std::string(10'000, 'x')), {}, 0});
  guard.set_limits({plenty, 800});
  REQUIRE(guard_looks());
  const std::size_t before = hub.history_bytes();
  REQUIRE(before > 1'000'000);
  guard.set_limits({guard.used_bytes() - 100'000, 800});
  CHECK(run_until([&] { return hub.history_bytes() < before; }));
  CHECK(hub.history_bytes() < before / 10 * 6);
  CHECK(hub.history_bytes() > before / 10 * 4);
  CHECK_FALSE(hub.overloaded());
  CHECK(slow.closes.empty());
}

TEST_CASE_FIXTURE(Fixture, "memory guard: where half of the history is not enough the rest goes by and by") {
  for (int i = 0; i < 100; ++i)
    hub.publish("lobby", {hub::Kind::text, base::FrameRef::copy_of(std::string(1'000, 'x')), {}, 0});
  guard.set_limits({1, 800});
  CHECK(run_until([&] { return hub.history_bytes() == 0; }));
  CHECK(hub.overloaded());
}

TEST_SUITE_END();
