#include "api/readiness.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "support/exchange_double.h"

namespace readiness_test {

using namespace roomcast;

namespace {

struct Ailing final : part::Part {
  [[nodiscard]] std::string readiness() const override { return "store: full\n"; }
};

}  // namespace

TEST_CASE("readiness: 200 until the end has begun, 503 from then on, and nobody keeps either") {
  part::Parts parts;
  parts.push_back(std::make_unique<Ailing>());
  api::Readiness readiness(parts);
  for (const int status : {200, 503}) {
    test::ExchangeDouble exchange(http::Method::get, "/readyz");
    readiness.handle(exchange, {});
    CHECK(exchange.status() == status);
    CHECK(exchange.body() == (status == 200 ? "ready\nstore: full\n" : "stopping\n"));
    CHECK(exchange.header("Content-Type") == "text/plain; charset=utf-8");
    CHECK(exchange.header("Cache-Control") == "no-store");
    readiness.on_stopping();
  }
}

}  // namespace readiness_test
