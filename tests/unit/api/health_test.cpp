#include "api/health.h"

#include <doctest/doctest.h>

#include "support/exchange_double.h"

namespace health_test {

using namespace roomcast;

TEST_CASE("health: it is well as long as it answers, and nobody keeps that answer") {
  test::ExchangeDouble exchange(http::Method::get, "/healthz");
  api::Health health;
  health.handle(exchange, {});
  CHECK(exchange.status() == 200);
  CHECK(exchange.body() == "ok\n");
  CHECK(exchange.header("Content-Type") == "text/plain; charset=utf-8");
  CHECK(exchange.header("Cache-Control") == "no-store");
}

}  // namespace health_test
