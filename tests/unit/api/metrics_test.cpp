#include "api/metrics.h"

#include <doctest/doctest.h>

#include <string>

#include "metrics/exposition.h"
#include "support/exchange_double.h"

namespace metrics_test {

using namespace roomcast;

namespace {

struct CountedLooks final : api::MetricsSource {
  void collect(std::string& out) override { out += "looks_total " + std::to_string(++looks) + "\n"; }
  int looks = 0;
};

}  // namespace

TEST_CASE("metrics: each request collects anew, as Prometheus text that nobody keeps") {
  CountedLooks source;
  api::Metrics metrics(source);
  for (const char* body : {"looks_total 1\n", "looks_total 2\n"}) {
    test::ExchangeDouble exchange(http::Method::get, "/metrics");
    metrics.handle(exchange, {});
    CHECK(exchange.status() == 200);
    CHECK(exchange.body() == body);
    CHECK(exchange.header("Content-Type") == metrics::exposition_content_type);
    CHECK(exchange.header("Cache-Control") == "no-store");
  }
}

}  // namespace metrics_test
