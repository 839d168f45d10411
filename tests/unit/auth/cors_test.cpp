#include "auth/origin.h"

#include <doctest/doctest.h>

#include <string>

namespace cors_test {

namespace auth = roomcast::auth;
namespace http = roomcast::http;

TEST_CASE("cors: the page of an origin may read the answer, with credentials where they are allowed") {
  http::Headers headers;
  auth::allow_reading(headers, "https://a.test", false);
  CHECK(headers.get("Access-Control-Allow-Origin") == "https://a.test");
  CHECK(headers.get("Access-Control-Expose-Headers") ==
        "Roomcast-Cursor, Roomcast-Subscribers, Roomcast-Message-Bytes");
  CHECK_FALSE(headers.get("Access-Control-Allow-Credentials"));
  http::Headers with_credentials;
  auth::allow_reading(with_credentials, "https://a.test", true);
  CHECK(with_credentials.get("Access-Control-Allow-Credentials") == "true");
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

TEST_CASE("cors: a preflight response has the methods, and the fields that pages send") {
  auth::OriginRules rules;
  const std::string always =
      "Content-Type, Idempotency-Key, Last-Event-ID, Authorization, traceparent, tracestate, baggage, "
      "sentry-trace";
  http::Headers headers;
  auth::allow_requests(headers, "GET, POST", rules);
  CHECK(headers.get("Access-Control-Allow-Methods") == "GET, POST");
  CHECK(headers.get("Access-Control-Allow-Headers") == always);
  CHECK(headers.get("Access-Control-Max-Age") == "600");
  rules.set_cors(false, {"X-Mine", "X-Other"});
  http::Headers more;
  auth::allow_requests(more, "GET", rules);
  CHECK(more.get("Access-Control-Allow-Headers") == always + ", X-Mine, X-Other");
}

}  // namespace cors_test
