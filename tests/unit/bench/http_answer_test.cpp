#include "load/http_answer.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace roomcast::bench::http_answer_test {
namespace {

constexpr std::string_view accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
constexpr ClientKind deflate{.deflate = true};
constexpr ClientKind json{.dialect = Dialect::json};

std::string upgraded(std::string_view more) {
  std::string head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n";
  return head.append(accept).append(more).append("\r\n");
}

bool agreed(const ClientKind& kind, std::string_view head) { return is_agreed(kind, take_answer_head(head)); }

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

TEST_CASE("an answer's head is taken when it is whole, wherever it is cut") {
  const std::string head = upgraded("");
  for (std::size_t cut = 0; cut < head.size(); ++cut)
    CHECK(take_answer_head(head.substr(0, cut)).used == 0);
  const std::string bytes = head + "frames";
  const HttpAnswer answer = take_answer_head(bytes);
  CHECK(answer.used == head.size());
  CHECK(answer.status == 101);
  CHECK(answer.status_line == "HTTP/1.1 101 Switching Protocols");
}

TEST_CASE("the length of an answer's body is read, in whatever case its fields are") {
  HttpAnswer answer = take_answer_head("HTTP/1.1 200 OK\r\ncontent-LENGTH:  3 \r\n\r\n");
  CHECK(answer.body.take("abcd").over);
  answer = take_answer_head("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK(answer.body.take("0\r\n\r\n").over);
  answer = take_answer_head("HTTP/1.1 200 OK\r\n\r\n");
  CHECK(answer.body.take("0\r\n\r\n").content == "0\r\n\r\n");
}

TEST_CASE("what is no HTTP/1.1 answer has no status") {
  CHECK(take_answer_head("HTTP/1.0 200 OK\r\n\r\n").status == 0);
  CHECK(take_answer_head("SSH-2.0\r\n\r\n").status == 0);
  CHECK(take_answer_head("HTTP/1.1 OK\r\n\r\n").status == 0);
}

TEST_CASE("a WebSocket is agreed upon with 101 and the answer to the key") {
  CHECK(agreed({}, upgraded("")));
  CHECK_FALSE(agreed({}, "HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  CHECK_FALSE(agreed({}, std::string("HTTP/1.1 200 OK\r\n").append(accept).append("\r\n")));
  CHECK_FALSE(agreed({}, "HTTP/1.1 503 Service Unavailable\r\n\r\n"));
}

TEST_CASE("a dialect is agreed upon when the server has taken it up") {
  CHECK(agreed(json, upgraded("Sec-WebSocket-Protocol: roomcast.v1\r\n")));
  CHECK_FALSE(agreed(json, upgraded("")));
  CHECK_FALSE(agreed(json, upgraded("Sec-WebSocket-Protocol: roomcast.raw.v1\r\n")));
}

TEST_CASE("compression is agreed upon only without a context that the server keeps") {
  const auto extension = [](std::string_view text) {
    return upgraded(std::string("Sec-WebSocket-Extensions: ").append(text).append("\r\n"));
  };
  const std::string good =
      extension("permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  CHECK(agreed(deflate, good));
  CHECK_FALSE(agreed({}, good));
  CHECK_FALSE(agreed(deflate, extension("permessage-deflate")));
  CHECK_FALSE(agreed(deflate, upgraded("")));
}

TEST_CASE("each way asks for what it reads") {
  const auto request = [](const ClientKind& kind) { return make_request(kind, "h:1", "/rooms/a"); };
  CHECK(request({}).starts_with("GET /rooms/a HTTP/1.1\r\nHost: h:1\r\nUpgrade: websocket\r\n"));
  CHECK(request({}).ends_with("\r\n\r\n"));
  CHECK_FALSE(has(request({}), "Extensions"));
  CHECK(has(request(json), "\r\nSec-WebSocket-Protocol: roomcast.v1\r\n"));
  CHECK(has(request(deflate),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"));
  CHECK(has(request({.way = Way::ndjson}), "\r\nAccept: application/x-ndjson\r\n"));
  CHECK(has(request({.way = Way::event_stream}), "\r\nAccept: text/event-stream\r\n"));
  CHECK(request({.way = Way::event_stream, .dialect = Dialect::json})
            .starts_with("GET /rooms/a?dialect=roomcast.v1 "));
}

TEST_CASE("a poll waits once it has a cursor, and keeps the path's own query") {
  const ClientKind poll{.way = Way::long_poll};
  CHECK(make_request(poll, "h", "/rooms/a").starts_with("GET /rooms/a HTTP/1.1\r\n"));
  CHECK(
      make_request(poll, "h", "/rooms/a", "e-1").starts_with("GET /rooms/a?wait=50&since=e-1 HTTP/1.1\r\n"));
  CHECK(make_request(poll, "h", "/rooms/a?x=1", "e-1").starts_with("GET /rooms/a?x=1&wait=50&since=e-1 "));
}

}  // namespace roomcast::bench::http_answer_test
