#include "serve/floor_handshake.h"

#include <doctest/doctest.h>

#include <string>

namespace roomcast::bench::floor::floor_handshake_test {

TEST_CASE("a head ends with its empty line") {
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  CHECK(head_bytes(head) == head.size());
  CHECK(head_bytes(head + "more") == head.size());
  for (std::size_t size = 0; size < head.size(); ++size)
    CHECK(head_bytes(head.substr(0, size)) == 0);
}

TEST_CASE("path, key and extensions are found, whatever their case and order") {
  const std::string head =
      "GET /rooms/lobby?name=ada HTTP/1.1\r\nhost: x\r\nsec-websocket-extensions:permessage-deflate \r\n"
      "SEC-WEBSOCKET-KEY:  dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: another\r\n\r\n";
  const FloorRequest request = read_head(head);
  CHECK(request.path == "/rooms/lobby");
  CHECK(request.key == "dGhlIHNhbXBsZSBub25jZQ==");
  CHECK(request.extensions == "permessage-deflate");
}

TEST_CASE("what is no request has no path, and a field without a value is empty") {
  CHECK(read_head("POST / HTTP/1.1\r\n\r\n").path.empty());
  CHECK(read_head("\r\n\r\n").path.empty());
  const FloorRequest request = read_head("GET /echo\r\nSec-WebSocket-Key:\r\n\r\n");
  CHECK(request.path == "/echo");
  CHECK(request.key.empty());
}

TEST_CASE("permessage-deflate is taken up unless the client wants a smaller window") {
  CHECK(offers_deflate("permessage-deflate; client_max_window_bits"));
  CHECK(offers_deflate("permessage-deflate; server_no_context_takeover; client_no_context_takeover"));
  CHECK_FALSE(offers_deflate("permessage-deflate; server_max_window_bits=10"));
  CHECK_FALSE(offers_deflate("x-webkit-deflate-frame"));
  CHECK_FALSE(offers_deflate(""));
}

TEST_CASE("the answer has the accept key of the standard's example, time after time") {
  FloorHandshake handshake;
  const std::string plain =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
  for (int i = 0; i < 2; ++i)
    CHECK(handshake.switching_protocols("dGhlIHNhbXBsZSBub25jZQ==", false) == plain + "\r\n");
  CHECK(handshake.switching_protocols("dGhlIHNhbXBsZSBub25jZQ==", true) ==
        plain +
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
            "client_no_context_takeover\r\n\r\n");
}

}  // namespace roomcast::bench::floor::floor_handshake_test
