#include "api/readiness.h"

#include <doctest/doctest.h>

#include "support/exchange_double.h"

namespace readiness_test {

using namespace roomcast;

TEST_CASE("readiness: 200 until the end has begun, 503 from then on, and nobody keeps either") {
  api::Readiness readiness;
  for (const int status : {200, 503}) {
    test::ExchangeDouble exchange(http::Method::get, "/readyz");
    readiness.handle(exchange, {});
    CHECK(exchange.status() == status);
    CHECK(exchange.header("Content-Type") == "text/plain; charset=utf-8");
    CHECK(exchange.header("Cache-Control") == "no-store");
    readiness.on_stopping();
  }
}

}  // namespace readiness_test
