#include "access/rates.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "support/fake_clock.h"

namespace rates_test {

using namespace roomcast::access;
using roomcast::base::Refusal;

namespace {

Identity identity_of(Kind kind, std::string id) {
  Profile profile;
  profile.kind = kind;
  profile.id = std::move(id);
  return Identity(std::move(profile));
}

constexpr std::string_view office = "192.0.2.1";

struct Fixture {
  Fixture() {
    rates.set_clock(clock);
    rates.set_exempt([](std::string_view address) { return address == "10.0.0.1"; });
  }
  Rates::Limits& limits() { return limits_; }
  void apply() { rates.set_limits(limits_); }

  /// How many joins pass, of 100.
  int joins(const Identity& identity, std::string_view address, std::uint64_t connection = 0) {
    int passed = 0;
    for (int i = 0; i < 100; ++i) {
      const auto refusal = rates.take({identity, address, connection}, one_of(Resource::joins));
      if (!refusal) ++passed;
      if (refusal) last = *refusal;
    }
    return passed;
  }
  std::optional<Refusal> publish(std::size_t bytes, const Identity& identity = {}) {
    return rates.take({identity, office}, publish_of(bytes));
  }

  roomcast::test::FakeClock clock;
  Rates rates;
  Refusal last;
  const Identity nobody;
  const Identity ada = identity_of(Kind::user, "ada");
  const Identity bob = identity_of(Kind::user, "bob");
  const Identity backend = identity_of(Kind::key, "ci");

 private:
  Rates::Limits limits_;
};

constexpr std::size_t joins_at = static_cast<std::size_t>(Resource::joins);
constexpr std::size_t publishes_at = static_cast<std::size_t>(Resource::publishes);
constexpr std::size_t bytes_at = static_cast<std::size_t>(Resource::publish_bytes);
constexpr std::size_t connects_at = static_cast<std::size_t>(Resource::connects);

}  // namespace

TEST_CASE_FIXTURE(Fixture, "rates: without limits nothing is refused, and nothing kept") {
  apply();
  CHECK(joins(nobody, office) == 100);
  CHECK(joins(ada, office, 1) == 100);
  CHECK(rates.bytes() == 0);
}

TEST_CASE_FIXTURE(Fixture, "rates: an address may do what its burst allows, and is told when it may go on") {
  limits().address[joins_at] = 2;
  apply();
  CHECK(joins(nobody, office) == 10);
  CHECK(last.code == Refusal::Code::rate_limited);
  CHECK(last.message == "rates.address_joins_per_second allows 2");
  CHECK(last.retry_ms == 500);
  clock.advance(499);
  CHECK(joins(nobody, office) == 0);
  CHECK(last.retry_ms == 1);
  clock.advance(1);
  CHECK(joins(nobody, office) == 1);
  CHECK(joins(nobody, "192.0.2.2") == 10);
}

TEST_CASE_FIXTURE(
    Fixture,
    "rates: users spend of their own, whatever an anonymous neighbour does, and not of the address") {
  limits().address[joins_at] = 1;
  limits().user[joins_at] = 2;
  apply();
  CHECK(joins(nobody, office) == 5);
  CHECK(joins(ada, office) == 10);
  CHECK(last.message == "rates.user_joins_per_second allows 2");
  CHECK(joins(ada, "192.0.2.2") == 0);
  CHECK(joins(bob, office) == 10);
  CHECK(joins(nobody, "192.0.2.2") == 5);
  limits().user = {};
  apply();
  CHECK(joins(ada, office) == 100);
}

TEST_CASE_FIXTURE(Fixture, "rates: API keys, Unix sockets and trusted proxies spend nothing") {
  limits().address[joins_at] = 1;
  limits().user[joins_at] = 1;
  limits().connection[joins_at] = 1;
  apply();
  CHECK(joins(backend, office, 5) == 100);
  CHECK(joins(nobody, "unix") == 100);
  CHECK(joins(nobody, "10.0.0.1") == 100);
  CHECK(joins(nobody, "") == 100);
  CHECK(joins(ada, "unix") == 5);
}

TEST_CASE_FIXTURE(Fixture, "rates: a connection has its own besides, and the longer wait is told") {
  limits().address[joins_at] = 1;
  limits().connection[joins_at] = 4;
  limits().burst_ms = 2'000;
  apply();
  CHECK(joins(nobody, office, 7) == 2);
  CHECK(last.message == "rates.address_joins_per_second allows 1");
  CHECK(joins(ada, office, 7) == 6);  // the two of before are the connection's as well
  CHECK(last.message == "rates.connection_joins_per_second allows 4");
  CHECK(joins(ada, office, 8) == 8);
}

TEST_CASE_FIXTURE(Fixture, "rates: an IPv6 block is one address, of the bits that are configured") {
  limits().address[joins_at] = 1;
  apply();
  CHECK(joins(nobody, "2001:db8::1") == 5);
  CHECK(joins(nobody, "2001:db8::2:3") == 0);
  CHECK(joins(nobody, "2001:db8:0:1::1") == 5);
  limits().ipv6_prefix_bits = 48;
  apply();
  CHECK(joins(nobody, "2001:db8:0:2::1") == 5);
  CHECK(joins(nobody, "2001:db8:0:3::1") == 0);
}

TEST_CASE_FIXTURE(Fixture, "rates: a user called like an address, or a number, has buckets of its own") {
  limits().address[joins_at] = 1;
  limits().user[joins_at] = 1;
  apply();
  CHECK(joins(nobody, office) == 5);
  CHECK(joins(identity_of(Kind::user, std::string(office)), office) == 5);
}

TEST_CASE_FIXTURE(
    Fixture, "rates: messages are counted with their bytes, and one that is refused counts for neither") {
  limits().address[publishes_at] = 1;
  limits().address[bytes_at] = 100;
  apply();
  CHECK_FALSE(publish(400));
  CHECK(publish(101)->message == "rates.address_publish_bytes_per_second allows 100");
  CHECK_FALSE(publish(100));
  CHECK(publish(1)->message == "rates.address_publish_bytes_per_second allows 100");
  clock.advance(30);
  for (int i = 0; i < 3; ++i)
    CHECK_FALSE(publish(1));
  clock.advance(1'000);
  CHECK_FALSE(publish(0));
  CHECK(publish(0)->message == "rates.address_publishes_per_second allows 1");
  // Larger than what is saved up: it has to wait until nothing is owed, and no longer.
  const auto large = publish(1'000);
  REQUIRE(large);
  clock.advance(large->retry_ms - 1);
  CHECK(publish(1'000));
  clock.advance(1);
  CHECK_FALSE(publish(1'000));
  CHECK(publish(1)->retry_ms > 5'000);
}

TEST_CASE_FIXTURE(Fixture, "rates: a user has as many connections as the limit says, and not one more") {
  CHECK_FALSE(rates.counts_connections());
  CHECK_FALSE(rates.check_connection(ada, 1'000));
  limits().connections_per_user = 2;
  apply();
  CHECK(rates.counts_connections());
  CHECK_FALSE(rates.check_connection(ada, 1));
  const auto refusal = rates.check_connection(ada, 2);
  REQUIRE(refusal);
  CHECK(refusal->code == Refusal::Code::too_many_of_address);
  CHECK(refusal->message == "limits.connections_per_user allows 2");
  CHECK_FALSE(rates.check_connection(backend, 2));
  CHECK_FALSE(rates.check_connection(nobody, 2));
}

TEST_CASE_FIXTURE(Fixture, "rates: connects of a user are counted as they begin") {
  limits().user[connects_at] = 1;
  limits().burst_ms = 1'000;
  apply();
  CHECK_FALSE(rates.check_connection(ada, 0));
  CHECK_FALSE(rates.check_connection(ada, 0));
  rates.begin_connection(ada);
  CHECK(rates.check_connection(ada, 0)->code == Refusal::Code::rate_limited);
  clock.advance(1'000);
  CHECK_FALSE(rates.check_connection(ada, 0));
}

TEST_CASE_FIXTURE(Fixture, "rates: a reload keeps what was spent, unless the table is made anew") {
  limits().address[joins_at] = 1;
  apply();
  CHECK(joins(nobody, office) == 5);
  limits().address[joins_at] = 2;
  apply();
  CHECK(joins(nobody, office) == 0);
  limits().table_bytes = 65'536;
  apply();
  CHECK(joins(nobody, office) == 10);
}

TEST_CASE_FIXTURE(Fixture, "rates: a clock that jumps back locks nobody out") {
  limits().address[joins_at] = 1;
  apply();
  CHECK(joins(nobody, office) == 5);
  clock.now_ms -= 900;
  CHECK(joins(nobody, office) == 0);
  clock.advance(1'000);
  CHECK(joins(nobody, office) == 1);
}

}  // namespace rates_test
