#include "http/router.h"

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/exchange_double.h"

namespace router_test {

namespace http = roomcast::http;
using http::Access;
using http::Method;
using roomcast::test::ExchangeDouble;

namespace {

/// Answers with its name and the rest it received.
class Named final : public http::Handler {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}
  void handle(http::Exchange& exchange, std::string_view rest) override {
    exchange.respond(http::Response::of(200, "text/plain", name_ + ":" + std::string(rest)));
  }

 private:
  std::string name_;
};

/// A gate that refuses every route that is not open.
class Wall final : public http::Gate {
 public:
  [[nodiscard]] http::RequestContext context_of(const http::Request& /*request*/) const override {
    return {};
  }
  [[nodiscard]] std::optional<roomcast::base::Refusal> objection(
      const http::Request& /*request*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool admit(http::Exchange& exchange, Access access) override {
    if (access == Access::open) return true;
    exchange.respond(http::Response::error({roomcast::base::Refusal::Code::origin_denied, "no"}));
    return false;
  }
  [[nodiscard]] bool answer_preflight(http::Exchange& exchange, Access access,
                                      std::string_view methods) const override {
    if (access == Access::open) return false;
    exchange.respond(http::Response::of(200, "text/plain", "wall: " + std::string(methods)));
    return true;
  }
  [[nodiscard]] bool has_readers() const override { return false; }
  void complete(const http::Request& /*request*/, const http::RequestContext& /*context*/,
                http::Headers& /*headers*/) const override {}
};

struct Fixture {
  Named health{"health"};
  Named read{"read"};
  Named publish{"publish"};
  Named special{"special"};
  Named preflight{"preflight"};
  Named files{"files"};
  http::Router router;

  Fixture() {
    router.add({Method::get}, "/healthz", Access::open, health);
    router.add({Method::get}, "/rooms/{room}", Access::open, read);
    router.add({Method::post}, "/rooms/{room}", Access::open, publish);
    router.add({Method::get}, "/rooms/special", Access::open, special);
    router.add({Method::get, Method::options}, "/rooms/deep/{room}", Access::open, preflight);
  }

  ExchangeDouble ask(Method method, std::string_view target) {
    ExchangeDouble exchange(method, target);
    router.handle(exchange, {});
    return exchange;
  }
  std::string body(Method method, std::string_view target) { return std::string(ask(method, target).body()); }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "router: a fixed path goes before a pattern, a longer pattern before a shorter") {
  router.add({Method::get}, "/r{rest}", Access::open, files);
  CHECK(body(Method::get, "/red") == "files:ed");
  CHECK(body(Method::get, "/healthz?x=1") == "health:");
  CHECK(body(Method::get, "/rooms/lobby") == "read:lobby");
  CHECK(body(Method::post, "/rooms/lobby") == "publish:lobby");
  CHECK(body(Method::get, "/rooms/special") == "special:");
  CHECK(body(Method::get, "/rooms/deep/x") == "preflight:x");
}

TEST_CASE_FIXTURE(Fixture, "router: the rest may hold slashes, be empty, and is decoded once") {
  CHECK(body(Method::get, "/rooms/chat/lobby") == "read:chat/lobby");
  CHECK(body(Method::get, "/rooms/chat%2Flobby") == "read:chat/lobby");
  CHECK(body(Method::get, "/rooms/") == "read:");
  CHECK(body(Method::get, "/rooms/a%2520b+c") == "read:a%20b+c");
}

TEST_CASE_FIXTURE(Fixture, "router: a broken encoding is 400 and names the problem") {
  for (const char* target : {"/rooms/%", "/rooms/%2", "/rooms/%zz", "/rooms/a%%20"}) {
    const auto answer = ask(Method::get, target);
    CHECK(answer.status() == 400);
    CHECK(answer.body().find("percent-encoding") != std::string_view::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "router: an unknown path is 404") {
  CHECK(ask(Method::get, "/").status() == 404);
  CHECK(ask(Method::get, "/healthz/").status() == 404);
  CHECK(ask(Method::post, "/rooms").status() == 404);
  CHECK(ask(Method::options, "/nowhere").status() == 404);
}

TEST_CASE_FIXTURE(Fixture, "router: a wrong method is 405 with what is allowed") {
  const auto answer = ask(Method::delete_, "/rooms/lobby");
  CHECK(answer.status() == 405);
  CHECK(answer.header("Allow") == "GET, HEAD, POST, OPTIONS");
  CHECK(ask(Method::other, "/healthz").header("Allow") == "GET, HEAD, OPTIONS");
  CHECK(ask(Method::post, "/rooms/special").status() == 405);
}

TEST_CASE_FIXTURE(Fixture, "router: HEAD goes where GET goes unless it has its own handler") {
  CHECK(body(Method::head, "/healthz") == "health:");
  Named own{"own"};
  router.add({Method::head}, "/healthz", Access::open, own);
  CHECK(body(Method::head, "/healthz") == "own:");
  CHECK(body(Method::get, "/healthz") == "health:");
}

TEST_CASE_FIXTURE(Fixture, "router: OPTIONS is answered with what is allowed unless it has its own handler") {
  const auto answer = ask(Method::options, "/rooms/lobby");
  CHECK(answer.status() == 204);
  CHECK(answer.header("Allow") == "GET, HEAD, POST, OPTIONS");
  CHECK(answer.body().empty());
  CHECK(body(Method::options, "/rooms/deep/x") == "preflight:x");
  CHECK(ask(Method::options, "*").status() == 204);
  CHECK(ask(Method::options, "*").header("Allow") == "GET, HEAD, POST, OPTIONS");
}

TEST_CASE_FIXTURE(Fixture, "router: the fallback gets whatever matches nothing, with the whole path") {
  router.set_fallback(files);
  CHECK(body(Method::get, "/") == "files:/");
  CHECK(body(Method::post, "/a%20b/c") == "files:/a b/c");
  CHECK(ask(Method::delete_, "/healthz").status() == 405);
  CHECK(ask(Method::get, "/%zz").status() == 400);
}

TEST_CASE_FIXTURE(Fixture, "router: the gate runs before every route, and gets its access") {
  Wall wall;
  router.set_gate(wall);
  router.add({Method::get}, "/guarded/{room}", Access::origin, read);
  router.add({Method::get}, "/mixed", Access::open, read);
  router.add({Method::post}, "/mixed", Access::origin, publish);
  CHECK(ask(Method::get, "/guarded/x").status() == 403);
  CHECK(ask(Method::head, "/guarded/x").status() == 403);
  CHECK(body(Method::get, "/mixed") == "read:");
  CHECK(ask(Method::post, "/mixed").status() == 403);
  CHECK(body(Method::get, "/rooms/lobby") == "read:lobby");
  // Requests that reach no handler are as good as open ones.
  CHECK(ask(Method::delete_, "/guarded/x").status() == 405);
  CHECK(ask(Method::get, "/guarded/%zz").status() == 400);
}

TEST_CASE_FIXTURE(Fixture, "router: the gate may answer OPTIONS, by the strictest of the path's routes") {
  Wall wall;
  router.set_gate(wall);
  router.add({Method::get}, "/mixed", Access::open, read);
  router.add({Method::post}, "/mixed", Access::origin, publish);
  router.add({Method::post}, "/mixed/too", Access::origin, publish);
  router.add({Method::get}, "/mixed/too", Access::open, read);
  router.add({Method::get}, "/guarded/{room}", Access::origin, read);
  CHECK(body(Method::options, "/mixed") == "wall: GET, HEAD, POST");
  CHECK(body(Method::options, "/mixed/too") == "wall: GET, HEAD, POST");
  CHECK(body(Method::options, "/guarded/x") == "wall: GET, HEAD");
  CHECK(ask(Method::options, "/guarded/%zz").status() == 400);
  CHECK(ask(Method::options, "/rooms/lobby").header("Allow") == "GET, HEAD, POST, OPTIONS");
  CHECK(body(Method::options, "/rooms/deep/x") == "preflight:x");
}

TEST_CASE_FIXTURE(Fixture, "router: a route that is not open can't be added without a gate") {
  CHECK_THROWS_AS(router.add({Method::get}, "/guarded", Access::origin, read), std::logic_error);
  CHECK(ask(Method::get, "/guarded").status() == 404);
}

}  // namespace router_test
