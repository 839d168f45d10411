#include "api/explain.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "auth/key_profile.h"
#include "config/config.h"
#include "part/access_settings.h"
#include "support/exchange_double.h"

namespace explain_test {

using namespace roomcast;
using test::ExchangeDouble;

namespace {

struct Fixture {
  Fixture() {
    config.access = {{"chat/**", "role:mod", {"join", "moderate"}}, {"**", "user", {"join"}}};
    config.auth.keys = {{"ops", "sha256:0", {"admin"}, {"**"}}, {"ci", "sha256:1", {"publish"}, {"ci/**"}}};
    access.policy = *part::access_policy(config);
    explain.apply(config);
  }
  ExchangeDouble post(access::Profile caller, std::string body, std::string type = "application/json") {
    ExchangeDouble exchange(http::Method::post, "/api/explain");
    exchange.edit().headers.add("Content-Type", std::move(type));
    exchange.edit().body = std::move(body);
    if (!caller.id.empty()) exchange.context().identity = access::Identity(std::move(caller));
    explain.handle(exchange, "");
    return exchange;
  }
  ExchangeDouble as_admin(std::string body, std::string type = "application/json") {
    return post(auth::key_profile(config.auth.keys[0]), std::move(body), std::move(type));
  }
  static access::Profile user(std::string id, std::string role) {
    access::Profile profile;
    profile.id = std::move(id);
    profile.roles = {std::move(role)};
    return profile;
  }

  config::Config config;
  access::Control access;
  api::Explain explain{access};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "POST explain: what a user may, and why") {
  const auto answer = as_admin(R"({"user":"ada","room":"chat/tea","roles":["mod"]})");
  CHECK(answer.status() == 200);
  CHECK(answer.header("Content-Type") == "application/json");
  CHECK(answer.header("Cache-Control") == "no-store");
  const std::string why = R"("row":1,"because":"row 1 of access (rooms \"chat/**\", who \"role:mod\"))";
  CHECK(answer.body().starts_with(
      R"({"user":"user:ada","room":"chat/tea","permissions":{"join":{"permitted":true,)" + why +
      R"("},"publish":{"permitted":false,)" + why + " does not list it\"},"));
  CHECK(answer.body().ends_with(
      R"("admin":{"permitted":false,"row":2,"because":"row 2 of access (rooms \"**\", who \"user\") does not list it"}}})"
      "\n"));
  CHECK(as_admin(R"({"user":"key:ci","room":"ci/a"})")
            .body()
            .find(R"("publish":{"permitted":true,"because":"the line of the key"})") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "POST explain: for who administers the server, or moderates the room") {
  const std::string question = R"({"user":"anyone","room":"chat/tea"})";
  CHECK(post({}, question).status() == 401);
  CHECK(post(user("bob", "none"), question).status() == 403);
  CHECK(post(user("bob", "mod"), question).status() == 200);
  CHECK(post(user("bob", "mod"), R"({"user":"anyone","room":"news"})").status() == 403);
}

TEST_CASE_FIXTURE(Fixture, "POST explain: a body of another form is refused by what is wrong with it") {
  const auto outcome = [this](std::string body) {
    const auto answer = as_admin(std::move(body));
    return std::to_string(answer.status()) + " " + std::string(answer.body());
  };
  CHECK(outcome("{").starts_with(R"(400 {"error":{"code":"invalid_json")"));
  CHECK(outcome("\xFF").starts_with(R"(400 {"error":{"code":"invalid_json")"));
  for (const char* body : {"[]", "{}", R"({"user":"ada"})", R"({"user":1,"room":"a"})"})
    CHECK(outcome(body).find("the strings user and room") != std::string::npos);
  CHECK(outcome(R"({"user":"ada","room":"a","roles":"mod"})").find("roles must be a list") !=
        std::string::npos);
  const auto roles = [](std::size_t count) {
    std::string list = R"("r")";
    for (std::size_t i = 1; i < count; ++i)
      list += R"(,"r")";
    return R"({"user":"ada","room":"a","roles":[)" + list + "]}";
  };
  CHECK(outcome(roles(32)).starts_with("200 "));
  CHECK(outcome(roles(33)).starts_with("400 "));
  CHECK(outcome(R"({"user":"ada","room":"/"})").starts_with(R"(400 {"error":{"code":"bad_room_name")"));
  CHECK(outcome(R"({"user":"key:none","room":"a"})").find("has no key") != std::string::npos);
  CHECK(as_admin("{}", "text/plain").status() == 415);
}

}  // namespace explain_test
