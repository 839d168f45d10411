#include "auth/cors.h"

#include <doctest/doctest.h>

namespace cors_test {

namespace auth = roomcast::auth;
namespace http = roomcast::http;
using auth::OriginVerdict;

namespace {

const auth::OriginDecision listed{OriginVerdict::listed, "https://a.test", {}};
const auth::OriginDecision same{OriginVerdict::same_origin, "https://b.test", {}};
const auth::OriginDecision denied{OriginVerdict::denied, "https://c.test", "add \"https://c.test\""};

}  // namespace

TEST_CASE("cors: the page of a listed origin may read the answer, and its cache is told why") {
  http::Headers headers;
  auth::add_cors(headers, listed);
  CHECK(headers.get("Access-Control-Allow-Origin") == "https://a.test");
  CHECK(headers.get("Vary") == "Origin");
}

TEST_CASE("cors: nobody else gets any permission") {
  for (const auto& decision : {same, denied, auth::OriginDecision{OriginVerdict::not_a_browser, {}, {}}}) {
    http::Headers headers;
    auth::add_cors(headers, decision);
    CHECK(headers.size() == 1);
    CHECK(headers.get("Vary") == "Origin");
  }
}

TEST_CASE("cors: a preflight is OPTIONS that asks for a method") {
  http::Request request;
  request.method = http::Method::options;
  CHECK_FALSE(auth::is_preflight(request));
  request.headers.add("Origin", "https://a.test");
  CHECK_FALSE(auth::is_preflight(request));
  request.headers.add("Access-Control-Request-Method", "POST");
  CHECK(auth::is_preflight(request));
  request.method = http::Method::post;
  CHECK_FALSE(auth::is_preflight(request));
}

TEST_CASE("cors: a preflight is answered with what a listed origin may do") {
  const auto answer = auth::answer_preflight(listed, {http::Method::get, http::Method::post}, {});
  CHECK(answer.status == 204);
  CHECK(answer.headers.get("Access-Control-Allow-Origin") == "https://a.test");
  CHECK(answer.headers.get("Access-Control-Allow-Methods") == "GET, POST");
  CHECK(answer.headers.get("Access-Control-Allow-Headers") ==
        "Content-Type, Idempotency-Key, Last-Event-ID, Authorization, traceparent, tracestate, baggage, "
        "sentry-trace");
  CHECK(answer.headers.get("Access-Control-Max-Age") == "600");
  CHECK(answer.headers.get("Vary") == "Origin");
  CHECK_FALSE(
      auth::answer_preflight(same, {http::Method::get}, {}).headers.get("Access-Control-Allow-Methods"));
}

TEST_CASE("cors: a denied origin is refused with the reason") {
  for (const auto& answer :
       {auth::answer_preflight(denied, {http::Method::get}, {}), auth::refuse_origin(denied)}) {
    CHECK(answer.status == 403);
    CHECK(answer.body.view().find("origin_denied") != std::string_view::npos);
    CHECK(answer.body.view().find("c.test") != std::string_view::npos);
    CHECK_FALSE(answer.headers.get("Access-Control-Allow-Origin"));
  }
}

}  // namespace cors_test
