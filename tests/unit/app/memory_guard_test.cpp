#include "app/memory_guard.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/allocation_count.h"
#include "net/admission.h"
#include "support/memory_stream.h"
#include "unit/app/address_space.h"
#include "unit/app/server_parts.h"

namespace memory_guard_test {

using namespace roomcast;

namespace {

constexpr std::size_t plenty = std::size_t{1} << 40U;

struct Fixture : test::ServerParts {
  /// Waits until the guard has looked once more, which it shows by seeing that something was allocated.
  bool guard_looks() {
    const std::size_t before = guard.used_bytes();
    ballast.emplace_back(100'000, 'x');
    return run_until([&] { return guard.used_bytes() > before + 50'000; });
  }

  std::vector<std::string> ballast{std::string(10'000'000, 'x')};
};

/// A client that holds real memory until it is asked to shed it.
struct Client final : net::Holder {
  Client(net::AdmissionControl& admissions, std::string_view address, std::size_t bytes) : held(bytes, 'x') {
    REQUIRE(admissions.admit(address, false, admission) == net::ExceededLimit::none);
    admission.hold(bytes, *this);
  }
  void shed() override {
    std::string().swap(held);
    admission = {};
  }
  [[nodiscard]] bool is_there() const { return !held.empty(); }
  net::Admission admission;
  std::string held;
};

}  // namespace

// A sanitizer's allocator does not count.
TEST_SUITE_BEGIN("memory guard" * doctest::skip(!base::counts_allocations()));

TEST_CASE_FIXTURE(Fixture, "memory guard: within the limit nothing is shed") {
  guard.set_limits({plenty});
  join("lobby").queued = 100'000;
  CHECK(guard_looks());
  CHECK(guard.used_bytes() > 10'000'000);
  CHECK_FALSE(hub.overloaded());
  CHECK(closed_clients() == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "memory guard: past the limit the hub accepts nothing, and clients that hold little stay") {
  guard.set_limits({1});
  auto& member = join("lobby");
  member.queued = 100'000;
  Client small(admissions, "192.0.2.1", 16'383);
  Client large(admissions, "192.0.2.1", 16'384);
  Client larger(admissions, "192.0.2.2", 60'000);
  Client largest(admissions, "192.0.2.3", 60'000);
  CHECK(guard_looks());
  CHECK(hub.overloaded());
  CHECK(member.closes.empty());
  CHECK(small.is_there());
  CHECK_FALSE(large.is_there());
}

TEST_CASE_FIXTURE(Fixture, "memory guard: it gives way again only when a tenth of the limit is free") {
  guard.set_limits({1});
  CHECK(guard_looks());
  CHECK(hub.overloaded());
  guard.set_limits({guard.used_bytes() / 100 * 105});
  CHECK(guard_looks());
  CHECK(hub.overloaded());
  guard.set_limits({guard.used_bytes() / 100 * 120});
  CHECK(guard_looks());
  CHECK_FALSE(hub.overloaded());
}

TEST_CASE_FIXTURE(Fixture, "memory guard: half of the history goes first, and no client if that is enough") {
  auto& slow = join("lobby");
  slow.queued = 100'000;
  for (int i = 0; i < 100; ++i)
    hub.publish("lobby", {hub::Kind::text, base::Bytes::copy_of(std::string(10'000, 'x')), {}, 0});
  guard.set_limits({plenty});
  REQUIRE(guard_looks());
  const std::size_t before = hub.history_bytes();
  REQUIRE(before > 1'000'000);
  guard.set_limits({guard.used_bytes() / 97 * 100});
  CHECK(run_until([&] { return hub.history_bytes() < before; }));
  CHECK(hub.history_bytes() < before / 10 * 6);
  CHECK(hub.history_bytes() > before / 10 * 4);
  CHECK_FALSE(hub.overloaded());
  CHECK(slow.closes.empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "memory guard: the client that holds most goes first, and no other if that is enough") {
  for (int i = 0; i < 100; ++i)
    hub.publish("lobby", {hub::Kind::text, base::Bytes::copy_of(std::string(10'000, 'x')), {}, 0});
  auto& member = join("lobby");
  member.queued = 100'000;
  Client small(admissions, "192.0.2.1", 100'000);
  Client largest(admissions, "192.0.2.2", 5'000'000);
  Client large(admissions, "192.0.2.3", 2'000'000);
  guard.set_limits({plenty});
  REQUIRE(guard_looks());
  const std::size_t history = hub.history_bytes();
  guard.set_limits({guard.used_bytes() / 104 * 100});
  const std::size_t before = guard.used_bytes();
  CHECK(run_until([&] { return guard.used_bytes() < before - 4'000'000; }));
  CHECK_FALSE(largest.is_there());
  CHECK((small.is_there() && large.is_there()));
  CHECK(hub.history_bytes() == history);
  CHECK_FALSE(hub.overloaded());
  CHECK(member.closes.empty());
  CHECK(guard.shed_holders() == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "memory guard: above 85 % holders go until less than 80 % is used, below it none") {
  Client first(admissions, "192.0.2.1", 500'000);
  Client second(admissions, "192.0.2.2", 400'000);
  Client third(admissions, "192.0.2.3", 200'000);
  Client least(admissions, "192.0.2.4", 60'000);
  guard.set_limits({plenty});
  REQUIRE(guard_looks());
  guard.set_limits({guard.used_bytes() / 80 * 100});
  CHECK(guard_looks());
  CHECK(first.is_there());
  guard.set_limits({guard.used_bytes() / 86 * 100});
  CHECK(run_until([&] { return !second.is_there(); }));
  CHECK_FALSE(first.is_there());
  guard.set_limits({guard.used_bytes() / 94 * 100});
  const std::size_t before = guard.used_bytes();
  CHECK(run_until([&] { return guard.used_bytes() < before - 150'000; }));
  CHECK_FALSE(third.is_there());
  CHECK(least.is_there());
  CHECK_FALSE(hub.overloaded());
}

TEST_CASE_FIXTURE(Fixture,
                  "memory guard: an address past its share gives its largest, however much is free") {
  admissions.set_limits({100, 100, 0, 0, 1'000'000});
  Client other(admissions, "192.0.2.2", 990'000);
  Client a(admissions, "192.0.2.1", 300'000);
  Client b(admissions, "192.0.2.1", 600'000);
  guard.set_limits({plenty});
  CHECK(guard_looks());
  CHECK(b.is_there());
  Client c(admissions, "192.0.2.1", 200'000);
  CHECK(run_until([&] { return !b.is_there(); }));
  CHECK((a.is_there() && c.is_there() && other.is_there()));
}

TEST_CASE_FIXTURE(Fixture,
                  "memory guard: where all connections hold next to nothing none goes, and rooms forget") {
  Client client(admissions, "192.0.2.1", 65'000);
  for (int i = 0; i < 100; ++i)
    hub.publish("lobby", {hub::Kind::text, base::Bytes::copy_of(std::string(10'000, 'x')), {}, 0});
  const std::size_t history = hub.history_bytes();
  guard.set_limits({1});
  CHECK(run_until([&] { return hub.history_bytes() < history; }));
  CHECK(client.is_there());
}

TEST_CASE_FIXTURE(Fixture, "memory guard: near the limit it looks within the turn, before the timer") {
  guard.set_limits({base::allocated_bytes() / 90 * 100});
  REQUIRE(guard_looks());
  Client client(admissions, "192.0.2.1", 1'000'000);
  CHECK_FALSE(guard.do_slice());  // only just looked
  CHECK(client.is_there());
  REQUIRE(run_until([&, since = loop.monotonic_ms()] { return loop.monotonic_ms() - since >= 10; }));
  CHECK_FALSE(guard.do_slice());
  CHECK_FALSE(client.is_there());
}

TEST_CASE_FIXTURE(Fixture,
                  "memory guard: when its limits are set it looks in the same turn, however lately it did") {
  guard.set_limits({plenty});
  REQUIRE(guard_looks());
  Client client(admissions, "192.0.2.1", 1'000'000);
  guard.set_limits({1});
  CHECK_FALSE(hub.overloaded());
  CHECK_FALSE(guard.do_slice());
  CHECK(hub.overloaded());
  CHECK_FALSE(client.is_there());
  guard.set_limits({plenty});
  CHECK_FALSE(guard.do_slice());
  CHECK_FALSE(hub.overloaded());
  Client other(admissions, "192.0.2.1", 200'000);
  CHECK_FALSE(guard.do_slice());
  admissions.set_limits({100, 100, 0, 0, 100'000});
  guard.set_limits({plenty});
  CHECK_FALSE(guard.do_slice());
  CHECK_FALSE(other.is_there());
}

TEST_CASE_FIXTURE(Fixture,
                  "memory guard: when the system gives no more it looks at once, however lately it did") {
  guard.set_limits({plenty});
  REQUIRE(guard_looks());
  const test::End end = test::run_with_address_space(test::space, [this] {
    const app::EmergencyReserve reserve;
    test::take_all().clear();
    if (!app::EmergencyReserve::is_used_up()) return 10;
    (void)guard.do_slice();
    return app::EmergencyReserve::is_used_up() ? 11 : 0;
  });
  CHECK(end.code == 0);
}

TEST_CASE_FIXTURE(Fixture, "memory guard: what a burst has left is given back, a little is not") {
  guard.set_limits({plenty});
  REQUIRE(guard_looks());
  const auto burst = [this](int count) {
    std::vector<std::string> pieces;
    for (int i = 0; i < count; ++i)
      pieces.emplace_back(100'000, 'x');
    ballast.emplace_back(10, 'x');  // above the others, so that their memory does not go by itself
    (void)guard.do_slice();
  };
  burst(10);
  CHECK(guard_looks());
  CHECK(guard.times_given_back() == 0);
  burst(500);
  CHECK(run_until([&] { return guard.times_given_back() == 1; }));
  CHECK(guard_looks());
  CHECK(guard.times_given_back() == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "memory guard: of much that is freed at once a part is given back within the turn") {
  guard.set_limits({plenty});
  REQUIRE(guard_looks());
  std::vector<std::string> pieces;
  for (int i = 0; i < 1'000; ++i)
    pieces.emplace_back(100'000, 'x');
  (void)guard.do_slice();
  pieces.resize(900);
  (void)guard.do_slice();
  CHECK(guard.times_given_back() == 0);  // a part is more than that
  pieces.resize(800);
  (void)guard.do_slice();
  CHECK(guard.times_given_back() == 1);
}

TEST_CASE_FIXTURE(Fixture, "memory guard: every part is asked for what it can spare") {
  struct Cache final : part::Part {
    part::ShedMemory shed_memory() override { return {std::exchange(bytes, 0), "a cache is dropped"}; }
    std::size_t bytes = 1'000;
  };
  std::vector<Cache*> caches;
  for (int i = 0; i < 2; ++i) {
    auto cache = std::make_unique<Cache>();
    caches.push_back(cache.get());
    parts.push_back(std::move(cache));
  }
  guard.set_limits({plenty});
  REQUIRE(guard_looks());
  CHECK(caches[0]->bytes == 1'000);
  guard.set_limits({1});
  CHECK(run_until([&] { return caches[0]->bytes == 0; }));
  CHECK(caches[1]->bytes == 0);
}

TEST_CASE_FIXTURE(Fixture, "memory guard: where half of the history is not enough the rest goes by and by") {
  for (int i = 0; i < 100; ++i)
    hub.publish("lobby", {hub::Kind::text, base::Bytes::copy_of(std::string(1'000, 'x')), {}, 0});
  guard.set_limits({1});
  CHECK(run_until([&] { return hub.history_bytes() == 0; }));
  CHECK(hub.overloaded());
}

TEST_SUITE_END();

}  // namespace memory_guard_test
