#include "transport/stream_refusal.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "transport/room_entry.h"

using namespace roomcast;
using Code = base::Refusal::Code;

namespace {

http::Request request_for(std::string_view path, std::string_view accept = "text/event-stream") {
  http::Request request;
  request.method = http::Method::get;
  request.path = path;
  request.headers.add("Accept", accept);
  return request;
}

http::Response answer(const http::Request& request, Code code = Code::overloaded,
                      std::string_view retry_after = {}) {
  http::Response response = http::Response::error({code, "why"});
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("Vary", "Accept, Accept-Encoding");
  if (!retry_after.empty()) response.headers.set("Retry-After", retry_after);
  const part::RoomTransports transports{
      {.name = "poll", .media_type = "application/json", .is_default = true},
      {.name = "websocket", .upgrade = "websocket"},
      {.name = "sse", .media_type = "text/event-stream", .refusal_form = transport::let_event_source_return},
  };
  transport::form_refusal(request, response, transports);
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
  for (const Code code : {Code::request_timeout, Code::internal_error, Code::overloaded, Code::timed_out}) {
    const std::string name(base::describe(code).name);
    CAPTURE(name);
    const http::Response response = answer(request_for("/rooms/a"), code);
    CHECK(response.status == 200);
    CHECK(response.headers.joined("Content-Type") == "text/event-stream");
    CHECK(response.headers.joined("Cache-Control") == "no-store, no-transform");
    CHECK(response.headers.joined("Vary") == "Accept, Accept-Encoding");
    CHECK(response.body.view().ends_with("\n:\n\n: {\"error\":{\"code\":\"" + name +
                                         "\",\"message\":\"why\"}}\n\n"));
    CHECK(retry_of(response) >= 2'000);
    CHECK(retry_of(response) <= 4'000);
  }
}

TEST_CASE("stream refusal: it comes back no earlier than Retry-After says") {
  for (int i = 0; i < 20; ++i) {
    const int retry = retry_of(answer(request_for("/rooms/a"), Code::too_many_of_address));
    CHECK(retry >= 5'000);
    CHECK(retry <= 7'000);
  }
  CHECK(retry_of(answer(request_for("/rooms/a"), Code::overloaded, "soon")) <= 4'000);
}

TEST_CASE("stream refusal: for good it stays an error") {
  for (const Code code : {Code::bad_room_name, Code::origin_denied, Code::not_found, Code::message_too_big,
                          Code::uri_too_long, Code::host_denied, Code::not_implemented}) {
    CAPTURE(base::describe(code).name);
    const http::Response response = answer(request_for("/rooms/a"), code);
    CHECK(response.status == base::describe(code).http);
    CHECK(response.headers.joined("Content-Type") == "application/json");
  }
}

TEST_CASE("stream refusal: who did not ask for an event stream of a room is told the error") {
  CHECK(answer(request_for("/rooms/a", "application/json")).status == 503);
  CHECK(answer(request_for("/rooms/a", "*/*")).status == 503);
  CHECK(answer(request_for("/readyz")).status == 503);
  for (const http::Method method : {http::Method::head, http::Method::post, http::Method::options}) {
    http::Request request = request_for("/rooms/a");
    request.method = method;
    CHECK(answer(request).status == 503);
  }
  http::Request upgrade = request_for("/rooms/a");
  upgrade.headers.add("Upgrade", "websocket");
  CHECK(answer(upgrade).status == 503);
  http::Request by_query = request_for("/rooms/a", "*/*");
  by_query.query = "transport=sse";
  CHECK(answer(by_query).status == 200);
}
