#include "http/message.h"

#include <doctest/doctest.h>

#include "http/response_head.h"

namespace message_test {

namespace http = roomcast::http;

TEST_CASE("headers: names compare without case, and the first value is found") {
  http::Headers headers;
  headers.add("X-A", "1");
  headers.add("x-a", "2");
  headers.add("B", "");
  CHECK(headers.get("X-a") == "1");
  CHECK(headers.get("b") == "");
  CHECK_FALSE(headers.get("X-").has_value());
  CHECK(headers.joined("X-A") == "1, 2");
  CHECK(headers.joined("c") == "");
  CHECK(headers.count("x-A") == 2);
  headers.set("X-A", "3");
  CHECK(headers.joined("x-a") == "3");
}

TEST_CASE("headers: fields stand in the order they came, with their names as they came") {
  http::Headers headers;
  CHECK(headers.empty());
  headers.add("B", "1");
  headers.add("a", "");
  headers.add("B", "2");
  headers.set("b", "3");
  CHECK(headers.size() == 2);
  CHECK(headers.field(0).name == "a");
  CHECK(headers.field(0).value == "");
  CHECK(headers.field(1).name == "b");
  CHECK(headers.field(1).value == "3");
  const http::Headers copy = headers;
  headers.set("a", "changed");
  CHECK(copy.get("a") == "");
}

TEST_CASE("headers: tokens are found in lists, whole and without case") {
  http::Headers headers;
  headers.add("Connection", "keep-alive,\tUpgrade ");
  headers.add("Connection", "x");
  CHECK(headers.has_token("connection", "upgrade"));
  CHECK(headers.has_token("connection", "X"));
  CHECK_FALSE(headers.has_token("connection", "up"));
  CHECK_FALSE(headers.has_token("connection", "grade"));
  CHECK_FALSE(headers.has_token("upgrade", "x"));
}

TEST_CASE("request: query parameters are decoded once, the first one counts") {
  http::Request request;
  request.query = "a=1&b=x+y%20z&a=2&c&d=%2541&e=%zz&f%3D=g&=empty";
  CHECK(request.query_parameter("a") == "1");
  CHECK(request.query_parameter("b") == "x y z");
  CHECK(request.query_parameter("c") == "");
  CHECK(request.query_parameter("d") == "%41");
  CHECK_FALSE(request.query_parameter("e").has_value());
  CHECK(request.query_parameter("f=") == "g");
  CHECK(request.query_parameter("") == "empty");
  CHECK_FALSE(request.query_parameter("g").has_value());
  CHECK_FALSE(request.query_parameter("f").has_value());
}

TEST_CASE("request: the name of a query parameter may be encoded, a broken one names nothing") {
  http::Request request;
  request.query = "sinc%zz=1&%=2&since%=3&s%69nce=4&a+b=5&%2B=6";
  CHECK(request.query_parameter("since") == "4");
  CHECK(request.query_parameter("a b") == "5");
  CHECK(request.query_parameter("+") == "6");
  CHECK_FALSE(request.query_parameter("%").has_value());
  CHECK_FALSE(request.query_parameter("sinc").has_value());
}

TEST_CASE("response: an error is a JSON object with code and message") {
  const auto response = http::Response::error({base::Refusal::Code::not_found, "no \"x\""});
  CHECK(response.status == 404);
  CHECK(response.headers.get("Content-Type") == "application/json");
  CHECK(response.body.view() == "{\"error\":{\"code\":\"not_found\",\"message\":\"no \\\"x\\\"\"}}\n");
}

TEST_CASE("response: an error says when to come back in whole seconds, rounded up") {
  const auto retry_after = [](std::uint32_t retry_ms) {
    const auto response = http::Response::error({base::Refusal::Code::rate_limited, "too fast", retry_ms});
    CHECK(response.refusal == base::Refusal::Code::rate_limited);
    return std::string(response.headers.get("Retry-After").value_or(""));
  };
  CHECK(retry_after(1) == "1");
  CHECK(retry_after(1'000) == "1");
  CHECK(retry_after(1'001) == "2");
  CHECK(retry_after(UINT32_MAX) == "4294968");
  CHECK(retry_after(0) == "1");  // what the table of refusals says
}

TEST_CASE("response head: Date, Content-Length and Connection are added") {
  const auto response = http::Response::of(200, "text/plain", "hello");
  CHECK(response_head(response, {true, 1, "now"}) ==
        "HTTP/1.1 200 OK\r\nDate: now\r\nX-Content-Type-Options: nosniff\r\nContent-Type: text/plain\r\n"
        "Content-Length: 5\r\n\r\n");
  CHECK(response_head(response, {false, 1, "now"}).find("Connection: close\r\n") != std::string::npos);
  CHECK(response_head(response, {true, 0, "now"}).find("Connection: keep-alive\r\n") != std::string::npos);
  CHECK(response_head(response, {true, 1, ""}).find("Date") == std::string::npos);
}

TEST_CASE("response head: a body without end comes in chunks, or until the connection closes for HTTP/1.0") {
  http::Response response;
  response.headers.add("Content-Type", "text/event-stream");
  CHECK(http::endless_response_head(response, 1, "now") ==
        "HTTP/1.1 200 OK\r\nDate: now\r\nX-Content-Type-Options: nosniff\r\n"
        "Content-Type: text/event-stream\r\n"
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  CHECK(http::endless_response_head(response, 0, "now") ==
        "HTTP/1.1 200 OK\r\nDate: now\r\nX-Content-Type-Options: nosniff\r\n"
        "Content-Type: text/event-stream\r\nConnection: close\r\n\r\n");
}

TEST_CASE("response head: statuses without a body have no Content-Length") {
  for (const int status : {101, 204, 304}) {
    http::Response response;
    response.status = status;
    CHECK(response_head(response, {true, 1, "now"}).find("Content-Length") == std::string::npos);
  }
}

TEST_CASE("response head: a line break in a value can't split the head") {
  http::Response response;
  response.headers.add("Location", "/a\r\nSet-Cookie: x");
  CHECK(response_head(response, {true, 1, "now"}).find("Location: /a  Set-Cookie: x\r\n") !=
        std::string::npos);
}

TEST_CASE("date: written as HTTP wants it") {
  http::DateText date;
  CHECK(date.at(784111777000) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(date.at(784111777999) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(date.at(784111778000) == "Sun, 06 Nov 1994 08:49:38 GMT");
  CHECK(date.at(951827696000) == "Tue, 29 Feb 2000 12:34:56 GMT");
}

}  // namespace message_test
