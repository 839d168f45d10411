#include "ws/handshake.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace roomcast::ws::handshake_test {

namespace {

base::Sha1 sha1;

HandshakeRequest sound_request() {
  HandshakeRequest request;
  request.method = "GET";
  request.upgrade = "websocket";
  request.connection = "Upgrade";
  request.key = "dGhlIHNhbXBsZSBub25jZQ==";
  request.key_count = 1;
  request.version = "13";
  request.version_count = 1;
  return request;
}

HandshakePolicy policy_with_all() { return {{"roomcast.v1", "roomcast.raw.v1"}, DeflatePolicy{}}; }

HandshakeRequest with_protocols(std::string_view protocols) {
  auto request = sound_request();
  request.protocols = protocols;
  request.protocol_count = 1;
  return request;
}

int refusal_status(const HandshakeRequest& request) {
  const auto decision = decide_handshake(request, policy_with_all(), sha1);
  return decision.ok() ? 101 : base::describe(decision.error().refusal.code).http;
}

std::string refusal_header(const HandshakeRequest& request, std::string_view wanted) {
  const auto decision = decide_handshake(request, policy_with_all(), sha1);
  REQUIRE_FALSE(decision.ok());
  for (const auto& [name, value] : decision.error().headers) {
    if (name == wanted) return std::string(value);
  }
  return "";
}

}  // namespace

TEST_CASE("the example of RFC 6455 section 1.3 is answered as it says") {
  CHECK(accept_key("dGhlIHNhbXBsZSBub25jZQ==", sha1) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  const auto decision = decide_handshake(sound_request(), {}, sha1);
  REQUIRE(decision.ok());
  CHECK(decision.value().head ==
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  CHECK(decision.value().subprotocol.empty());
  CHECK_FALSE(decision.value().deflate.has_value());
}

TEST_CASE("subprotocol and compression are part of the answer when agreed on") {
  auto request = with_protocols("other, roomcast.v1");
  request.extensions = "permessage-deflate; client_max_window_bits";
  const auto decision = decide_handshake(request, policy_with_all(), sha1);
  REQUIRE(decision.ok());
  CHECK(decision.value().head.ends_with(
      "Sec-WebSocket-Protocol: roomcast.v1\r\nSec-WebSocket-Extensions: permessage-deflate; "
      "server_no_context_takeover; client_no_context_takeover\r\n\r\n"));
  CHECK(decision.value().subprotocol == "roomcast.v1");
  REQUIRE(decision.value().deflate.has_value());
  CHECK_FALSE(decision.value().deflate->client_context_takeover);
}

TEST_CASE(
    "the server's preference decides between subprotocols, case counts, an unknown one gets no answer") {
  const auto chosen = [](std::string_view offered) {
    const auto decision = decide_handshake(with_protocols(offered), policy_with_all(), sha1);
    REQUIRE(decision.ok());
    CHECK((decision.value().head.find("Sec-WebSocket-Protocol") == std::string::npos) ==
          decision.value().subprotocol.empty());
    return std::string(decision.value().subprotocol);
  };
  CHECK(chosen("roomcast.raw.v1, roomcast.v1") == "roomcast.v1");
  CHECK(chosen("roomcast.raw.v1") == "roomcast.raw.v1");
  CHECK(chosen(" ,a ,, roomcast.raw.v1\t,b,") == "roomcast.raw.v1");
  CHECK(chosen("ROOMCAST.V1").empty());
  CHECK(chosen("mqtt").empty());
}

TEST_CASE("a subprotocol list that is not one of tokens is refused") {
  for (const std::string_view list : {"", ",", "a b", "a;b", "\"a\"", "a, b@", "\xC3\xA4"}) {
    CAPTURE(list);
    CHECK(refusal_status(with_protocols(list)) == 400);
  }
}

TEST_CASE("names in Upgrade and Connection are compared without case and found in lists") {
  auto request = sound_request();
  request.upgrade = "h2c, WebSocket";
  request.connection = "keep-alive , UPGRADE";
  CHECK(refusal_status(request) == 101);
  request.upgrade = "websocket/13";
  CHECK(refusal_status(request) == 426);
  request.upgrade = "websockets";
  CHECK(refusal_status(request) == 426);
}

TEST_CASE("a request without upgrade gets the name of the supported one") {
  auto request = sound_request();
  request.upgrade = "";
  CHECK(refusal_status(request) == 426);
  CHECK(refusal_header(request, "Upgrade") == "websocket");
  CHECK(refusal_header(request, "Connection") == "Upgrade");
}

TEST_CASE("Connection must name the upgrade") {
  for (const std::string_view connection : {"", "keep-alive", "close", "upgraded", "up grade"}) {
    auto request = sound_request();
    request.connection = connection;
    CHECK(refusal_status(request) == 400);
  }
}

TEST_CASE("only GET over HTTP/1.1 opens a WebSocket") {
  for (const std::string_view method : {"POST", "HEAD", "PUT", "get", ""}) {
    auto request = sound_request();
    request.method = method;
    CHECK(refusal_status(request) == 405);
    CHECK(refusal_header(request, "Allow") == "GET");
  }
  auto request = sound_request();
  request.minor_version = 0;
  CHECK(refusal_status(request) == 400);
}

TEST_CASE("a version other than 13 is refused with 426 and the one that is spoken") {
  for (const std::string_view version : {"0", "8", "12", "14", "013", "13.0", "x", ""}) {
    CAPTURE(version);
    auto request = sound_request();
    request.version = version;
    CHECK(refusal_status(request) == 426);
    CHECK(refusal_header(request, "Sec-WebSocket-Version") == "13");
  }
}

TEST_CASE("a missing or repeated version is refused with 400 and the one that is spoken") {
  auto request = sound_request();
  request.version_count = 0;
  request.version = "";
  CHECK(refusal_status(request) == 400);
  CHECK(refusal_header(request, "Sec-WebSocket-Version") == "13");
  request.version_count = 2;
  request.version = "13, 13";
  CHECK(refusal_status(request) == 400);
}

TEST_CASE("the key must be there once and be 16 bytes in base64") {
  for (const std::string_view key :
       {"", "short==", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZ$==",
        "dGhlIHNhbXBsZSBub25jZQA=", "dGhlIHNhbXBsZSBub25jZQAA", "dGhlIHNhb-BsZSBub25jZQ=="}) {
    CAPTURE(key);
    auto request = sound_request();
    request.key = key;
    CHECK(refusal_status(request) == 400);
  }
  auto request = sound_request();
  request.key_count = 0;
  CHECK(refusal_status(request) == 400);
  request.key_count = 2;
  CHECK(refusal_status(request) == 400);
}

TEST_CASE("the key may have every digit of base64, and nothing beside them") {
  for (const char digit : std::string_view("AZaz09+/@[`{:-_*.,=")) {
    CAPTURE(digit);
    const bool is_digit = std::string_view("AZaz09+/").find(digit) != std::string_view::npos;
    const std::string key = std::string(1, digit) + "QIDBAUGBwgJCgsMDQ4PEA==";
    auto request = sound_request();
    request.key = key;
    CHECK(refusal_status(request) == (is_digit ? 101 : 400));
  }
}

TEST_CASE("the key of the example in RFC 6455 section 4.1 passes although its last bits are not zero") {
  auto request = sound_request();
  request.key = "AQIDBAUGBwgJCgsMDQ4PEC==";
  CHECK(refusal_status(request) == 101);
}

TEST_CASE("a broken extension list fails the handshake, an unusable one does not") {
  auto request = sound_request();
  request.extensions = "permessage-deflate; =";
  CHECK(refusal_status(request) == 400);
  request.extensions = "permessage-deflate; server_max_window_bits=8";
  const auto decision = decide_handshake(request, policy_with_all(), sha1);
  REQUIRE(decision.ok());
  CHECK_FALSE(decision.value().deflate.has_value());
  CHECK(decision.value().head.find("Extensions") == std::string::npos);
}

}  // namespace roomcast::ws::handshake_test
