// Requests that begin, end and are dropped in any order, with servers of all kinds.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "unit/fetch/fetch_fixture.h"

namespace roomcast::fetch::random_test {

using Connection = test::OriginServer::Connection;

TEST_CASE("fetch: whatever happens in whatever order, every request ends once and leaves nothing behind") {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    CAPTURE(seed);
    test::FetchFixture f;
    std::mt19937 random(seed);
    const auto below = [&](unsigned end) { return static_cast<unsigned>(random() % end); };
    ClientOptions options;
    options.transfers = 3;
    options.waiting = 2;
    options.idle_connections = 2;
    f.set_up(options);
    f.server.on_request = [&](Connection& connection, const std::string&) {
      switch (below(6)) {
        case 0:
          connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart");
          break;
        case 1:
          connection.reset();
          break;
        case 2:
          connection.close();
          break;
        case 3:
          connection.respond(302, "Location: /\r\n", "");
          break;
        default:
          connection.respond(200, "", "ok");
      }
    };
    std::vector<std::unique_ptr<test::Fetched>> fetched(12);
    std::uint64_t started = 0;
    std::uint64_t called = 0;
    const auto begin = [&](test::Fetched& one) {
      Request request = f.get();
      request.timeout_ms = 1 + below(40);
      if (below(10) == 0) request.url = "ftp://127.0.0.1/";
      one.transfer.start(std::move(request));
      ++started;
    };
    for (int step = 0; step < 1'500; ++step) {
      auto& one = fetched[below(static_cast<unsigned>(fetched.size()))];
      if (!one) {
        one = std::make_unique<test::Fetched>(*f.client);
        one->then = [&, self = one.get()] {
          ++called;
          if (below(4) == 0) begin(*self);
        };
      }
      switch (below(8)) {
        case 0:
          one.reset();
          break;
        case 1:
          one->transfer.cancel();
          break;
        case 2:
        case 3:
          begin(*one);
          break;
        default:
          f.loop.run_turn_without_waiting();
      }
      CHECK(f.client->stats().running <= options.transfers);
      CHECK(f.client->stats().waiting <= options.waiting);
    }
    for (auto& one : fetched) {
      if (one) one->then = [&] { ++called; };
    }
    REQUIRE(f.run_until([&] {
      return std::all_of(fetched.begin(), fetched.end(),
                         [](const auto& one) { return !one || !one->transfer.is_active(); });
    }));
    const ClientStats& stats = f.client->stats();
    CHECK(stats.running == 0);
    CHECK(stats.waiting == 0);
    CHECK(stats.waiting_bytes == 0);
    CHECK(std::accumulate(stats.ended.begin(), stats.ended.end(), std::uint64_t{0}) == started);
    CHECK(called <= started);
    CHECK(f.ended(Outcome::ok) > 0);
    CHECK(f.ended(Outcome::overloaded) > 0);
    CHECK(f.ended(Outcome::cancelled) > 0);
  }
}

}  // namespace roomcast::fetch::random_test
