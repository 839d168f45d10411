#include "api/login.h"

#include <doctest/doctest.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "auth/users_file.h"
#include "part/routes.h"
#include "support/exchange_double.h"
#include "support/loop_fixture.h"
#include "support/temporary_directory.h"

namespace roomcast::api::login_test {

namespace {

struct Responses final : http::DeferredResponses {
  [[nodiscard]] std::string_view client_address(base::SlotId /*id*/) override { return {}; }
  std::optional<http::Response> response;
  void respond(base::SlotId /*id*/, http::Response answer) override { response = std::move(answer); }
  bool resume(base::SlotId /*id*/, const std::function<void(http::RequestContext&)>& /*change*/) override {
    return false;
  }
  std::optional<http::HandOver> take_over(base::SlotId /*id*/, std::string_view /*head*/) override {
    return std::nullopt;
  }
};

struct OpenGate final : http::Gate {
  http::RequestContext context_of(const http::Request& /*request*/) const override { return {}; }
  std::optional<base::Refusal> objection(const http::Request& /*request*/) const override {
    return std::nullopt;
  }
  bool admit(http::Exchange& /*exchange*/, http::Access /*access*/) override { return true; }
  bool answer_preflight(http::Exchange& /*exchange*/, http::Access /*access*/,
                        std::string_view /*methods*/) const override {
    return false;
  }
  bool has_readers() const override { return false; }
  void complete(const http::Request& /*request*/, const http::RequestContext& /*context*/,
                http::Headers& /*headers*/) const override {}
};

struct Fixture : test::LoopFixture {
  Fixture() {
    settings.users_file = directory.file("users");
    std::ofstream(settings.users_file)
        << auth::to_line({"ada", auth::PasswordHash::of("correct horse", {10, 8, 1}), {"staff"}, ""}) << '\n';
    REQUIRE(!accounts.load(settings));
    accounts.apply(settings);
    router.set_gate(gate);
    part::Routes routes(router, router, router, false);
    login.add_routes(routes);
  }

  test::ExchangeDouble request(http::Method method, std::string_view target, const std::string& body = {},
                               const std::string& type = "application/json") {
    test::ExchangeDouble exchange(method, target);
    exchange.edit().body = body;
    exchange.edit().client.address = "192.0.2.1";
    if (!body.empty()) exchange.edit().headers.add("Content-Type", type);
    return exchange;
  }
  test::ExchangeDouble sign_in(const std::string& password) {
    return request(http::Method::post, "/api/login", R"({"user":"ada","password":")" + password + R"("})");
  }

  test::TemporaryDirectory directory;
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  auth::Accounts::Settings settings;
  auth::Accounts accounts{loop, log};
  Responses responses;
  OpenGate gate;
  http::Router router;
  Login login{accounts, responses};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "login: the answer comes with a cookie once the password was compared") {
  test::ExchangeDouble exchange = sign_in("correct horse");
  exchange.edit().client.secure = true;
  router.handle(exchange, {});
  CHECK(exchange.deferred());
  CHECK(exchange.held() == 16);  // user and password
  CHECK(run_until([this] { return responses.response.has_value(); }));
  CHECK(responses.response->status == 200);
  CHECK(responses.response->headers.get("Set-Cookie")->ends_with("; HttpOnly; SameSite=Strict; Secure"));
  CHECK(responses.response->body.view() ==
        "{\"user\":\"ada\",\"name\":\"ada\",\"roles\":[\"staff\"],\"expires_in_s\":43200}\n");
}

TEST_CASE_FIXTURE(Fixture, "login: a client that leaves is answered no more") {
  test::ExchangeDouble exchange = sign_in("correct horse");
  router.handle(exchange, {});
  exchange.leave();
  CHECK(run_until([this] { return accounts.worker().stats().checked == 1; }));
  run_idle_turns();
  CHECK(!responses.response.has_value());
}

TEST_CASE_FIXTURE(Fixture, "login: pages of other origins, unless they may send cookies") {
  test::ExchangeDouble exchange = sign_in("correct horse");
  exchange.context().origin = http::OriginVerdict::listed;
  router.handle(exchange, {});
  CHECK(exchange.status() == 403);
  test::ExchangeDouble trusted = sign_in("correct horse");
  trusted.context().origin = http::OriginVerdict::listed;
  trusted.context().credentials = true;
  router.handle(trusted, {});
  CHECK(trusted.deferred());
}

TEST_CASE_FIXTURE(Fixture, "login: a body of 8192 bytes is read, a longer one is not") {
  std::string body = "user=ada&password=x&";
  body.append(8'192 - body.size(), 'y');
  test::ExchangeDouble longest =
      request(http::Method::post, "/api/login", body, "application/x-www-form-urlencoded");
  router.handle(longest, {});
  CHECK(longest.deferred());
  test::ExchangeDouble longer =
      request(http::Method::post, "/api/login", body + 'y', "application/x-www-form-urlencoded");
  router.handle(longer, {});
  CHECK(longer.status() == 413);
}

TEST_CASE_FIXTURE(Fixture, "login: past the tries of a user the refusal says when to come back") {
  for (int i = 0; i < 10; ++i) {
    responses.response.reset();
    test::ExchangeDouble exchange = sign_in("wrong");
    router.handle(exchange, {});
    REQUIRE(run_until([this] { return responses.response.has_value(); }));
    CHECK(responses.response->status == 401);
  }
  responses.response.reset();
  test::ExchangeDouble exchange = sign_in("correct horse");
  router.handle(exchange, {});
  REQUIRE(responses.response.has_value());
  CHECK(responses.response->status == 429);
  CHECK(responses.response->headers.count("Retry-After") == 1);
}

}  // namespace roomcast::api::login_test
