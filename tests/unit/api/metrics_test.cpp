#include "api/metrics.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "metrics/exposition.h"
#include "support/exchange_double.h"

namespace metrics_test {

using namespace roomcast;

namespace {

struct CountedLooks final : part::Part {
  void collect(metrics::Exposition& out) const override {
    out.counter("looks_total", "Looks.");
    out.add({}, ++looks);
  }
  mutable int looks = 0;
};

}  // namespace

TEST_CASE("metrics: each request collects those of all parts anew, as Prometheus text that is not cached") {
  part::Parts parts;
  parts.push_back(std::make_unique<CountedLooks>());
  parts.push_back(std::make_unique<CountedLooks>());
  api::Metrics metrics(parts);
  for (const char* looks : {"2", "4"}) {
    test::ExchangeDouble exchange(http::Method::get, "/metrics");
    metrics.handle(exchange, {});
    CHECK(exchange.status() == 200);
    CHECK(exchange.body() ==
          "# HELP looks_total Looks.\n# TYPE looks_total counter\nlooks_total " + std::string(looks) + "\n");
    CHECK(exchange.header("Content-Type") == metrics::exposition_content_type);
    CHECK(exchange.header("Cache-Control") == "no-store");
  }
}

}  // namespace metrics_test
