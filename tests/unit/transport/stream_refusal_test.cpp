#include "transport/stream_refusal.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace roomcast;

namespace {

http::Request request_for(std::string_view path, std::string_view accept = "text/event-stream") {
  http::Request request;
  request.method = http::Method::get;
  request.path = path;
  request.headers.add("Accept", accept);
  return request;
}

http::Response answer(const http::Request& request, int status, std::string_view retry_after = {}) {
  http::Response response = http::Response::error(status, "some_code", "why");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("Vary", "Accept, Accept-Encoding");
  if (!retry_after.empty()) response.headers.add("Retry-After", retry_after);
  transport::let_event_source_return(request, response);
  return response;
}

int retry_of(const http::Response& response) {
  constexpr std::string_view retry = "retry: ";
  const std::string body(response.body.view());
  REQUIRE(body.starts_with(retry));
  return std::stoi(body.substr(retry.size()));
}

}  // namespace

TEST_CASE("stream refusal: for now it is an empty event stream that says when to come back") {
  for (const int status : {408, 429, 500, 503}) {
    CAPTURE(status);
    const http::Response response = answer(request_for("/rooms/a"), status);
    CHECK(response.status == 200);
    CHECK(response.headers.joined("Content-Type") == "text/event-stream");
    CHECK(response.headers.joined("Cache-Control") == "no-store, no-transform");
    CHECK(response.headers.joined("Vary") == "Accept, Accept-Encoding");
    CHECK(response.body.view().ends_with(
        "\n:\n\n: {\"error\":{\"code\":\"some_code\",\"message\":\"why\"}}\n\n"));
    CHECK(retry_of(response) >= 2'000);
    CHECK(retry_of(response) <= 4'000);
  }
}

TEST_CASE("stream refusal: it comes back no earlier than Retry-After says") {
  for (int i = 0; i < 20; ++i) {
    const int retry = retry_of(answer(request_for("/rooms/a"), 503, "5"));
    CHECK(retry >= 5'000);
    CHECK(retry <= 7'000);
  }
  CHECK(retry_of(answer(request_for("/rooms/a"), 503, "soon")) <= 4'000);
}

TEST_CASE("stream refusal: for good it stays an error") {
  for (const int status : {400, 403, 404, 405, 413, 414, 421, 431, 501}) {
    CAPTURE(status);
    const http::Response response = answer(request_for("/rooms/a"), status);
    CHECK(response.status == status);
    CHECK(response.headers.joined("Content-Type") == "application/json");
  }
}

TEST_CASE("stream refusal: who did not ask for an event stream of a room is told the error") {
  CHECK(answer(request_for("/rooms/a", "application/json"), 503).status == 503);
  CHECK(answer(request_for("/rooms/a", "*/*"), 503).status == 503);
  CHECK(answer(request_for("/readyz"), 503).status == 503);
  for (const http::Method method : {http::Method::head, http::Method::post, http::Method::options}) {
    http::Request request = request_for("/rooms/a");
    request.method = method;
    CHECK(answer(request, 503).status == 503);
  }
  http::Request upgrade = request_for("/rooms/a");
  upgrade.headers.add("Upgrade", "websocket");
  CHECK(answer(upgrade, 503).status == 503);
  http::Request by_query = request_for("/rooms/a", "*/*");
  by_query.query = "transport=sse";
  CHECK(answer(by_query, 503).status == 200);
}
