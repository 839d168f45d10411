#include "auth/jwks_source.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>

#include "unit/auth/jwks_fixture.h"

namespace roomcast::auth::jwks_source_test {

using Fixture = test::JwksFixture;

namespace {

constexpr std::int64_t second_ms = 1'000;
constexpr std::int64_t minute_ms = 60 * second_ms;
constexpr std::int64_t hour_ms = 60 * minute_ms;

std::size_t count(const std::string& text, std::string_view words) {
  std::size_t found = 0;
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
    ++found;
  return found;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "jwks source: the set is fetched at the start, and again in time") {
  start();
  CHECK(keys->current() == nullptr);
  REQUIRE(wait_for(1));
  CHECK(current() == "one");
  CHECK(server.requests[0].find("GET /keys?token=secret HTTP/1.1\r\n") == 0);
  CHECK(server.requests[0].find("Accept: application/jwk-set+json, application/json\r\n") !=
        std::string::npos);
  document = "two";
  CHECK(current() == "one");
  CHECK(next_fetch_after(hour_ms) == 48 * minute_ms);  // 80 % of an hour, where the response says nothing
  CHECK(current() == "two");
  CHECK(stats().refreshed == 2);
  CHECK(logged.text().empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "jwks source: it is fetched again when 80 % of its freshness has passed, within bounds") {
  const auto pause_after = [&](const std::string& max_age) {
    fields = "Cache-Control: " + max_age + "\r\n";
    start();
    REQUIRE(wait_for(1));
    return next_fetch_after(25 * hour_ms);
  };
  CHECK(pause_after("max-age=600") == 480 * second_ms);
  CHECK(pause_after("max-age=60") == 48 * second_ms);
  CHECK(pause_after("max-age=59") == 48 * second_ms);
  CHECK(pause_after("max-age=0") == 48 * second_ms);
  CHECK(pause_after("no-store") == 48 * second_ms);
  CHECK(pause_after("max-age=86400") == 24 * hour_ms / 5 * 4);
  CHECK(pause_after("max-age=86401") == 24 * hour_ms / 5 * 4);
  CHECK(pause_after("max-age=99999999999") == 24 * hour_ms / 5 * 4);
}

TEST_CASE_FIXTURE(Fixture, "jwks source: a URL that fails at first, then recovers") {
  status = 503;
  start();
  REQUIRE(wait_for(1));
  CHECK(current() == "none");
  CHECK(stats().failures_in_a_row == 1);
  CHECK(next_fetch_after(minute_ms) > 0);
  CHECK(stats().failures_in_a_row == 2);
  status = 200;
  CHECK(next_fetch_after(minute_ms) > 0);
  CHECK(current() == "one");
  CHECK(stats().failures_in_a_row == 0);
  CHECK(stats().refreshed_at_ms == clock.now_ms);
  const std::string lines = logged.text();
  CHECK(count(lines, "signing keys not fetched") == 1);
  CHECK(count(lines, "keys=none") == 1);
  CHECK(count(lines, "signing keys fetched again") == 1);
}

TEST_CASE_FIXTURE(Fixture, "jwks source: whatever fails, the last set stays in use") {
  start();
  REQUIRE(wait_for(1));
  SUBCASE("another status") { status = 404; }
  SUBCASE("no content") { status = 204; }
  SUBCASE("no key set") { document = "!"; }
  SUBCASE("a redirect") {
    status = 302;
    fields = "Location: /elsewhere\r\n";
  }
  SUBCASE("too large") { document.assign(options.bytes_max + 1, 'x'); }
  SUBCASE("a connection that breaks") {
    server.on_request = [](test::OriginServer::Connection& connection, const std::string&) {
      connection.reset();
    };
  }
  CHECK(next_fetch_after(hour_ms) > 0);
  CHECK(stats().failed == 1);
  CHECK(current() == "one");
  CHECK(count(logged.text(), "the last ones stay in use") == 1);
  pass(200 * hour_ms);
  CHECK(current() == "one");
}

TEST_CASE_FIXTURE(Fixture, "jwks source: a set at the limit in bytes is taken") {
  document.assign(options.bytes_max, 'x');
  start();
  REQUIRE(wait_for(1));
  CHECK(current().size() == options.bytes_max);
}

TEST_CASE_FIXTURE(Fixture, "jwks source: pauses between failures grow to a minute, and are random") {
  status = 500;
  start();
  REQUIRE(wait_for(1));
  std::int64_t most_ms = 2 * second_ms;
  std::int64_t sum_ms = 0;
  std::set<std::int64_t> longest;
  for (int i = 0; i < 12; ++i) {
    const std::int64_t after_ms = next_fetch_after(2 * minute_ms);
    CHECK(after_ms >= most_ms / 2);
    CHECK(after_ms <= most_ms + 250);
    if (most_ms == minute_ms) longest.insert(after_ms);
    most_ms = std::min(minute_ms, 2 * most_ms);
    sum_ms += after_ms;
  }
  CHECK(longest.size() > 1);
  // At most a warning a minute.
  const std::size_t warnings = count(logged.text(), "signing keys not fetched");
  CHECK(warnings >= 2);
  CHECK(warnings <= 1 + static_cast<std::size_t>(sum_ms / minute_ms));
}

TEST_CASE_FIXTURE(Fixture, "jwks source: the log has neither user information nor query of the URL") {
  status = 403;
  start();
  REQUIRE(wait_for(1));
  const std::string line = logged.text();
  CHECK(count(line, "url=http://127.0.0.1:" + std::to_string(server.port()) + "/keys ") == 1);
  CHECK(count(line, "the server answers 403") == 1);
  for (const char* secret : {"ada", "open", "secret"})
    CHECK(count(line, secret) == 0);
}

TEST_CASE_FIXTURE(Fixture, "jwks source: stopped it fetches nothing, and can be started again") {
  is_silent = true;
  start();
  keys->source().start();
  REQUIRE(run_until([&] { return fetches() == 1; }));
  keys->source().stop();
  REQUIRE(run_until([&] { return server.connections() == 0; }));
  pass(2 * hour_ms);
  run_idle_turns();
  CHECK(fetches() == 1);
  CHECK(stats().failed == 0);
  is_silent = false;
  keys->source().start();
  REQUIRE(wait_for(1));
  keys->source().stop();
  pass(2 * hour_ms);
  run_idle_turns();
  CHECK(fetches() == 2);
  CHECK(current() == "one");
}

}  // namespace roomcast::auth::jwks_source_test
