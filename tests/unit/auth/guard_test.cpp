#include "auth/guard.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/exchange_double.h"

namespace guard_test {

using namespace roomcast;
using test::ExchangeDouble;

namespace {

/// What stands behind the guard.
struct Inner final : http::Handler {
  void handle(http::Exchange& exchange, std::string_view rest) override {
    rooms.emplace_back(rest);
    exchange.respond(http::Response::of(200, "text/plain", "welcome"));
  }
  std::vector<std::string> rooms;
};

struct Fixture {
  ExchangeDouble ask(http::Method method, std::string_view origin) {
    ExchangeDouble exchange(method, "/rooms/lobby");
    exchange.edit().headers.add("Host", "chat.test");
    if (!origin.empty()) exchange.edit().headers.add("Origin", std::string(origin));
    return exchange;
  }
  ExchangeDouble guarded(std::string_view origin) {
    auto exchange = ask(http::Method::post, origin);
    guard.handle(exchange, "lobby");
    return exchange;
  }

  auth::OriginRules rules = *auth::OriginRules::parse({"https://listed.test"});
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  Inner inner;
  auth::OriginGuard guard{rules, inner, log};
  auth::Preflight preflight{rules, {http::Method::get, http::Method::post}};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "guard: whoever may goes through, with what the route has matched") {
  for (const char* origin : {"", "http://chat.test", "https://listed.test"})
    CHECK(guarded(origin).body() == "welcome");
  CHECK(inner.rooms == std::vector<std::string>{"lobby", "lobby", "lobby"});
}

TEST_CASE_FIXTURE(Fixture, "guard: pages of other origins are refused before the handler sees them") {
  for (const char* origin : {"https://other.test", "null", "https://chat.test"}) {
    CAPTURE(origin);
    const auto exchange = guarded(origin);
    CHECK(exchange.status() == 403);
    CHECK(exchange.body().find("origin_denied") != std::string_view::npos);
    CHECK(exchange.body().find(origin) != std::string_view::npos);
    CHECK(exchange.header("Vary") == "Origin");
    CHECK(exchange.response().headers.count("Access-Control-Allow-Origin") == 0);
  }
  CHECK(inner.rooms.empty());
}

TEST_CASE_FIXTURE(Fixture, "guard: changed rules hold from the next request on") {
  CHECK(guarded("https://other.test").status() == 403);
  rules = *auth::OriginRules::parse({"https://other.test"});
  CHECK(guarded("https://other.test").status() == 200);
  CHECK(guarded("https://listed.test").status() == 403);
}

TEST_CASE_FIXTURE(Fixture, "preflight: a listed origin is told what it may do") {
  auto exchange = ask(http::Method::options, "https://listed.test");
  exchange.edit().headers.add("Access-Control-Request-Method", "POST");
  preflight.handle(exchange, "lobby");
  CHECK(exchange.status() == 204);
  CHECK(exchange.header("Access-Control-Allow-Origin") == "https://listed.test");
  CHECK(exchange.header("Access-Control-Allow-Methods") == "GET, POST");
}

TEST_CASE_FIXTURE(Fixture, "preflight: any other origin is refused") {
  auto exchange = ask(http::Method::options, "https://other.test");
  exchange.edit().headers.add("Access-Control-Request-Method", "POST");
  preflight.handle(exchange, "lobby");
  CHECK(exchange.status() == 403);
  CHECK(exchange.response().headers.count("Access-Control-Allow-Origin") == 0);
}

TEST_CASE_FIXTURE(Fixture, "preflight: plain OPTIONS is told the methods there are") {
  for (const char* origin : {"", "https://other.test"}) {
    auto exchange = ask(http::Method::options, origin);
    preflight.handle(exchange, "lobby");
    CHECK(exchange.status() == 204);
    CHECK(exchange.header("Allow") == "GET, POST, OPTIONS");
    CHECK(exchange.response().headers.count("Access-Control-Allow-Methods") == 0);
  }
}

}  // namespace guard_test
