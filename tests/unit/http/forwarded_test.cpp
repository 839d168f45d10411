#include "http/forwarded.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string_view>
#include <utility>

namespace forwarded_test {

namespace http = roomcast::http;

namespace {

/// 10.0.0.x, fd00::1 and the Unix socket are trusted proxies.
bool is_proxy(std::string_view address) {
  return address.starts_with("10.0.0.") || address == "fd00::1" || address == "unix";
}

using Fields = std::initializer_list<std::pair<const char*, const char*>>;

http::Client resolve(std::string_view peer, Fields fields, bool peer_secure = false) {
  http::Headers headers;
  for (const auto& [name, value] : fields)
    headers.add(name, value);
  return http::resolve_client(peer, peer_secure, headers, is_proxy);
}

}  // namespace

TEST_CASE("forwarded: without a trusted peer nothing is believed") {
  const auto client = resolve("192.0.2.1", {{"X-Forwarded-For", "203.0.113.9"},
                                            {"X-Forwarded-Proto", "https"},
                                            {"Forwarded", "for=203.0.113.9;proto=https"}});
  CHECK(client.address == "192.0.2.1");
  CHECK_FALSE(client.secure);
  http::Headers headers;
  headers.add("X-Forwarded-For", "203.0.113.9");
  CHECK(http::resolve_client("10.0.0.1", false, headers, nullptr).address == "10.0.0.1");
}

TEST_CASE("forwarded: without headers the peer itself is the client") {
  CHECK(resolve("10.0.0.1", {}).address == "10.0.0.1");
  CHECK(resolve("10.0.0.1", {}, true).secure);
  CHECK(resolve("192.0.2.1", {}, true).secure);
}

TEST_CASE("forwarded: the right-most address that is not a proxy of ours wins") {
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9"}}).address == "203.0.113.9");
  CHECK(resolve("unix", {{"X-Forwarded-For", "1.1.1.1, 203.0.113.9"}}).address == "203.0.113.9");
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "1.1.1.1, 203.0.113.9, 10.0.0.2"}}).address ==
        "203.0.113.9");
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "1.1.1.1"}, {"X-Forwarded-For", "203.0.113.9"}}).address ==
        "203.0.113.9");
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "10.0.0.3, 10.0.0.2"}}).address == "10.0.0.3");
}

TEST_CASE("forwarded: addresses come with ports and brackets, and leave in one form") {
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9:4711"}}).address == "203.0.113.9");
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "2001:DB8:0::9"}}).address == "2001:db8::9");
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "[2001:db8::9]:80"}}).address == "2001:db8::9");
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "\"[2001:db8::9]:80\""}}).address == "2001:db8::9");
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "::ffff:203.0.113.9"}}).address == "203.0.113.9");
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "fe80::9%eth0"}}).address == "fe80::9");
}

TEST_CASE("forwarded: what is not an address ends the walk") {
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9, garbage"}}).address == "10.0.0.1");
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9, unknown, 10.0.0.2"}}).address == "10.0.0.2");
  for (const char* garbage :
       {"", ",", "1.2.3", "1.2.3.4.5", "example.org", "[::1", "_hidden", "\"", "1.2.3.4 x"}) {
    CAPTURE(garbage);
    CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", garbage}}).address == "10.0.0.1");
  }
}

TEST_CASE("forwarded: the scheme is the one of the client's own leg") {
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-Proto", "HTTPS"}}).secure);
  CHECK_FALSE(
      resolve("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-Proto", "http"}}, true).secure);
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-Proto", "gopher"}}, true)
            .secure);
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-Proto", "https"}}).secure);
  CHECK(resolve("10.0.0.1",
                {{"X-Forwarded-For", "203.0.113.9, 10.0.0.2"}, {"X-Forwarded-Proto", "https, http"}})
            .secure);
  CHECK_FALSE(
      resolve("10.0.0.1", {{"X-Forwarded-For", "1.1.1.1, 203.0.113.9"}, {"X-Forwarded-Proto", "https, http"}})
          .secure);
}

TEST_CASE(
    "forwarded: the scheme may be that of the WebSocket, and a list of another length than the addresses") {
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-Proto", "wss"}}).secure);
  CHECK_FALSE(
      resolve("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-Proto", "ws"}}, true).secure);
  for (const char* protos : {"https,https", "https, http", "https,", ",https", "wss, ws"}) {
    CAPTURE(protos);
    CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-Proto", protos}}).secure);
    CHECK(resolve("10.0.0.1", {{"X-Forwarded-Proto", protos}}).secure);
  }
  CHECK_FALSE(
      resolve("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-Proto", "http,https"}}).secure);
}

TEST_CASE("forwarded: hops over Unix sockets and empty elements are passed over") {
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9, unix:"}}).address == "203.0.113.9");
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9, unix:/run/x.sock, 10.0.0.2"}}).address ==
        "203.0.113.9");
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "6.6.6.6, unix:, 203.0.113.9"}}).address == "203.0.113.9");
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "unix:"}}).address == "10.0.0.1");
  CHECK(resolve("10.0.0.1", {{"X-Forwarded-For", "203.0.113.9, ,"}}).address == "203.0.113.9");
}

TEST_CASE("forwarded: whether a trusted proxy has passed the request on") {
  CHECK(resolve("10.0.0.1", {}).is_forwarded);
  CHECK(resolve("10.0.0.1", {}).is_by_http_proxy);
  CHECK_FALSE(resolve("192.0.2.1", {{"X-Forwarded-For", "203.0.113.9"}}).is_by_http_proxy);
  CHECK_FALSE(resolve("192.0.2.1", {{"X-Forwarded-For", "203.0.113.9"}}).is_forwarded);
}

TEST_CASE("forwarded: RFC 7239 is not believed, since proxies pass a client's own on") {
  const auto client =
      resolve("10.0.0.1", {{"Forwarded", "for=1.1.1.1;proto=https"}, {"X-Forwarded-For", "203.0.113.9"}});
  CHECK(client.address == "203.0.113.9");
  CHECK_FALSE(client.secure);
  CHECK(resolve("10.0.0.1", {{"Forwarded", "for=1.1.1.1;proto=https"}}).address == "10.0.0.1");
}

}  // namespace forwarded_test
