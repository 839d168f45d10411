#include "api/readiness.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "support/exchange_double.h"

namespace readiness_test {

using namespace roomcast;

namespace {

struct Ailing final : part::Part {
  explicit Ailing(const bool& can_serve_) : can_serve(can_serve_) {}
  [[nodiscard]] std::string readiness() const override { return "store: full\n"; }
  [[nodiscard]] bool is_ready() const override { return can_serve; }
  const bool& can_serve;
};

}  // namespace

TEST_CASE("readiness: 200 until the end has begun, 503 from then on, and nobody keeps either") {
  const bool can_serve = true;
  part::Parts parts;
  parts.push_back(std::make_unique<Ailing>(can_serve));
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

TEST_CASE("readiness: 503 while a part can't serve, with what it says") {
  bool can_serve = false;
  part::Parts parts;
  parts.push_back(std::make_unique<Ailing>(can_serve));
  api::Readiness readiness(parts);
  for (const int status : {503, 200}) {
    test::ExchangeDouble exchange(http::Method::get, "/readyz");
    readiness.handle(exchange, {});
    CHECK(exchange.status() == status);
    CHECK(exchange.body() == (status == 200 ? "ready\nstore: full\n" : "not ready\nstore: full\n"));
    can_serve = true;
  }
}

}  // namespace readiness_test
