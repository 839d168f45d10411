#include "http/parser.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "part/settings.h"

namespace parser_test {

namespace http = roomcast::http;
namespace part = roomcast::part;
using Step = http::Parser::Step;

namespace {

struct Outcome {
  std::vector<http::Request> requests;
  int status = 0;  // of the refusal
  std::string message;
  friend bool operator==(const Outcome& a, const Outcome& b) {
    return a.status == b.status && a.message == b.message && a.requests.size() == b.requests.size();
  }
};

/// Feeds the pieces one after the other, as a connection does.
Outcome read(const std::vector<std::string_view>& pieces,
             const http::ParserLimits& limits = part::parser_limits({})) {
  http::Parser parser(limits);
  Outcome outcome;
  for (const auto piece : pieces) {
    std::string_view input = piece;
    for (bool more = true; more;) {
      switch (parser.next(input)) {
        case Step::need_more:
          more = false;
          break;
        case Step::head:
          break;
        case Step::request:
          outcome.requests.push_back(parser.take_request());
          break;
        case Step::refused:
          outcome.status = base::describe(parser.problem().code).http;
          outcome.message = parser.problem().message.view();
          return outcome;
      }
    }
  }
  return outcome;
}

Outcome read_byte_by_byte(std::string_view text, const http::ParserLimits& limits = part::parser_limits({})) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < text.size(); ++i)
    pieces.push_back(text.substr(i, 1));
  return read(pieces, limits);
}

/// Parses the input in one piece, byte by byte and split at every offset; all must agree.
Outcome read_every_way(std::string_view text, const http::ParserLimits& limits = part::parser_limits({})) {
  Outcome whole = read({text}, limits);
  CHECK(read_byte_by_byte(text, limits) == whole);
  for (std::size_t i = 1; i < text.size(); ++i) {
    CHECK(read({text.substr(0, i), text.substr(i)}, limits) == whole);
  }
  return whole;
}

int status_of(std::string_view text, const http::ParserLimits& limits = part::parser_limits({})) {
  const Outcome outcome = read_every_way(text, limits);
  return outcome.status;
}

std::string get_with(std::string_view lines) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}
std::string post_with(std::string_view lines, std::string_view body = "") {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n" + std::string(body);
}

}  // namespace

TEST_CASE("parser: a request is taken apart, however it arrives") {
  const auto outcome = read_every_way(
      "POST /rooms/a%20b?since=1&name=x HTTP/1.1\r\nHost: example.org:8080\r\nX-Empty:\r\nX-Two:  a \t\r\n"
      "x-two: b\r\nContent-Length: 5\r\n\r\nhello");
  REQUIRE(outcome.requests.size() == 1);
  const auto& request = outcome.requests[0];
  CHECK(request.method == http::Method::post);
  CHECK(request.method_text == "POST");
  CHECK(request.path == "/rooms/a%20b");
  CHECK(request.query == "since=1&name=x");
  CHECK(request.minor_version == 1);
  CHECK(request.headers.get("host") == "example.org:8080");
  CHECK(request.headers.get("X-EMPTY") == "");
  CHECK(request.headers.joined("X-Two") == "a, b");
  CHECK(request.body == "hello");
}

TEST_CASE("parser: pipelined requests come out one by one, with their own bodies") {
  const auto outcome = read_every_way(
      "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none"
      "\r\nGET /2 HTTP/1.0\r\n\r\n"
      "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nthr\r\n2\r\nee\r\n0\r\n\r\n"
      "GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
      "GET /5 HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(outcome.requests.size() == 5);
  CHECK(outcome.requests[0].body == "one");
  CHECK(outcome.requests[1].minor_version == 0);
  CHECK(outcome.requests[2].body == "three");
  CHECK(outcome.requests[3].path == "/4");
  CHECK(outcome.requests[4].path == "/5");
  CHECK(outcome.requests[4].body.empty());
}

TEST_CASE("parser: it stops behind a request, so that an upgrade gets its own bytes") {
  const http::ParserLimits limits = part::parser_limits({});
  http::Parser parser(limits);
  std::string_view input =
      "GET /rooms/a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x80";
  CHECK(parser.next(input) == Step::head);
  CHECK(parser.next(input) == Step::request);
  CHECK(input == "\x81\x80");
  CHECK(parser.take_request().headers.has_token("connection", "upgrade"));
}

TEST_CASE("parser: an upgrade request that is answered as plain HTTP leaves the connection usable") {
  const auto outcome = read_every_way(
      "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nab"
      "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(outcome.status == 0);
  REQUIRE(outcome.requests.size() == 3);
  CHECK(outcome.requests[1].body == "ab");
}

TEST_CASE("parser: framing that two readers could take differently is refused") {
  struct Attack {
    const char* name;
    std::string text;
    int status;
  };
  using namespace std::string_literals;
  const std::vector<Attack> attacks{
      {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"bare CR after the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
      {"bare LF after a field", get_with("X: y\n"), 400},
      {"bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
      {"bare CR as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\rX", 400},
      {"bare CR within a value", get_with("X: y\rZ: b\r\n"), 400},
      {"CR CR LF", get_with("X: y\r\r\n"), 400},
      {"bare LF within a value", get_with("X: y\nContent-Length: 5\r\n"), 400},
      {"bare CR in the target", "GET /\ra HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"NUL in a value", get_with("X: a\0b\r\n"s), 400},
      {"NUL in a name", get_with("X\0: a\r\n"s), 400},
      {"NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s, 400},
      {"control byte in a value",
       get_with("X: a\x01"
                "b\r\n"),
       400},
      {"DEL in a value",
       get_with("X: a\x7f"
                "b\r\n"),
       400},
      {"obs-fold with a space", get_with("X: a\r\n b\r\n"), 400},
      {"obs-fold with a tab", get_with("X: a\r\n\tb\r\n"), 400},
      {"folded first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"space before the colon", get_with("Content-Length : 0\r\n"), 400},
      {"tab before the colon", get_with("Transfer-Encoding\t: chunked\r\n"), 400},
      {"space within a name", get_with("X Y: 0\r\n"), 400},
      {"field without a colon", get_with("X\r\n"), 400},
      {"field without a name", get_with(": x\r\n"), 400},
      {"non-ASCII byte in a name", get_with("X\xc3\xa4: x\r\n"), 400},
      {"Content-Length and Transfer-Encoding",
       post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"Transfer-Encoding and Content-Length",
       post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {"differing Content-Lengths", post_with("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {"equal Content-Lengths", post_with("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), 400},
      {"Content-Length list", post_with("Content-Length: 5, 5\r\n", "hello"), 400},
      {"Content-Length with a sign", post_with("Content-Length: +5\r\n", "hello"), 400},
      {"negative Content-Length", post_with("Content-Length: -5\r\n"), 400},
      {"hexadecimal Content-Length", post_with("Content-Length: 0x5\r\n"), 400},
      {"empty Content-Length", post_with("Content-Length:\r\n"), 400},
      {"Content-Length with a space within", post_with("Content-Length: 1 2\r\n"), 400},
      {"endless Content-Length", post_with("Content-Length: 99999999999999999999999\r\n"), 400},
      {"chunked not last", post_with("Transfer-Encoding: chunked, gzip\r\n"), 400},
      {"no chunked at all", post_with("Transfer-Encoding: gzip\r\n"), 400},
      {"identity", post_with("Transfer-Encoding: identity\r\n"), 400},
      {"chunked twice", post_with("Transfer-Encoding: chunked, chunked\r\n"), 400},
      {"chunked in two fields", post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
       400},
      {"chunked, then identity in another field",
       post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 400},
      {"xchunked", post_with("Transfer-Encoding: xchunked\r\n"), 400},
      {"chunked with a parameter", post_with("Transfer-Encoding: chunked;q=1\r\n"), 400},
      {"empty Transfer-Encoding", post_with("Transfer-Encoding:\r\n"), 400},
      {"vertical tab before chunked",
       post_with("Transfer-Encoding: \x0b"
                 "chunked\r\n"),
       400},
      {"an unsupported coding", post_with("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {"Transfer-Encoding on HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
      {"missing Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", get_with("Host: a\r\n"), 400},
      {"two Hosts that differ, HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
      {"Host with user information", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
      {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
      {"Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"Host with a bad port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400},
      {"Host with a word as port", "GET / HTTP/1.1\r\nHost: a:http\r\n\r\n", 400},
      {"Host with a broken address", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
      {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501},
      {"unknown method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"endless method", std::string(100, 'A') + " / HTTP/1.1\r\n\r\n", 501},
      {"asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"authority as target", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"relative target", "GET index.html HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"absolute target without host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"absolute target with user information", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"absolute target and invalid Host", "GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"absolute target and no Host", "GET http://a/ HTTP/1.1\r\n\r\n", 400},
      {"fragment in the target", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"raw UTF-8 in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"tab in the target", "GET /\ta HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {"space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"HTTP/0.9", "GET /\r\n\r\n", 400},
      {"lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
      {"two-digit version", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
      {"another protocol", "GET / ICE/1.0\r\nHost: a\r\n\r\n", 400},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"HTTP/0.9 by name", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"TLS on a plain port", "\x16\x03\x01\x02"s, 400},
      {"two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"bare LF first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"unknown expectation", post_with("Expect: 200-ok\r\nContent-Length: 1\r\n"), 417},
      {"more than the known expectation", post_with("Expect: 100-continue, x\r\nContent-Length: 1\r\n"), 417},
  };
  for (const auto& attack : attacks) {
    CAPTURE(attack.name);
    const auto outcome = read_every_way(attack.text);
    CHECK(outcome.status == attack.status);
    CHECK(outcome.requests.empty());
    CHECK_FALSE(outcome.message.empty());
  }
}

TEST_CASE("parser: unusual but clear requests are accepted") {
  const std::vector<std::string> requests{
      "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nhOsT:a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: 127.0.0.1:\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: my_host.example-1.org\r\n\r\n",
      "GET /?q=a|b^{c} HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX: caf\xc3\xa9\tau lait\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
      "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
      "HEAD / HTTP/1.0\r\nExpect: 200-ok\r\n\r\n",
  };
  for (const auto& text : requests) {
    CAPTURE(text);
    const auto outcome = read_every_way(text);
    CHECK(outcome.message == "");
    CHECK(outcome.requests.size() == 1);
  }
}

TEST_CASE("parser: the authority of an absolute target takes the place of Host") {
  const auto outcome = read_every_way("GET http://Example.org:81?q HTTP/1.1\r\nHost: other\r\n\r\n");
  REQUIRE(outcome.requests.size() == 1);
  CHECK(outcome.requests[0].path == "/");
  CHECK(outcome.requests[0].query == "q");
  CHECK(outcome.requests[0].headers.get("Host") == "Example.org:81");
  CHECK(outcome.requests[0].headers.count("Host") == 1);
}

TEST_CASE("parser: the target may be as long as limits.uri_bytes and no longer") {
  http::ParserLimits limits = part::parser_limits({});
  limits.uri_bytes = 10;
  CHECK(status_of("GET /123456789 HTTP/1.1\r\nHost: a\r\n\r\n", limits) == 0);
  CHECK(status_of("GET /1234567890 HTTP/1.1\r\nHost: a\r\n\r\n", limits) == 414);
  // Immediately, not when the line is complete.
  CHECK(read({"GET /1234567890"}, limits).status == 414);
}

TEST_CASE("parser: the target may have a hundred query parameters and no more") {
  const auto status_with = [](std::size_t parameters) {
    std::string target = "/?a=1";
    for (std::size_t i = 1; i < parameters; ++i)
      target += "&b";
    return status_of("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
  };
  CHECK(status_with(100) == 0);
  CHECK(status_with(101) == 400);
}

TEST_CASE("parser: the header fields may be as many and as long as the limits and no more") {
  http::ParserLimits limits = part::parser_limits({});
  limits.header_bytes = 20;
  limits.header_count = 3;
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: 456789\r\n\r\n", limits) == 0);
  CHECK(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: 4567890\r\n\r\n", limits) == 431);
  CHECK(status_of("GET / HTTP/1.1\r\nHost:a\r\nX:\r\nY:\r\n\r\n", limits) == 0);
  CHECK(status_of("GET / HTTP/1.1\r\nHost:a\r\nX:\r\nY:\r\nZ:\r\n\r\n", limits) == 431);
}

TEST_CASE(
    "parser: a body may be as long as limits.body_bytes, and a longer one is refused by its length alone") {
  http::ParserLimits limits = part::parser_limits({});
  limits.body_bytes = 5;
  CHECK(status_of(post_with("Content-Length: 5\r\n", "hello"), limits) == 0);
  CHECK(status_of(post_with("Content-Length: 6\r\n"), limits) == 413);
  CHECK(status_of(post_with("Transfer-Encoding: chunked\r\n", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), limits) ==
        0);
  CHECK(status_of(post_with("Transfer-Encoding: chunked\r\n", "2\r\nhe\r\n4\r\n"), limits) == 413);
  CHECK(status_of(post_with("Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\n"), limits) == 413);
}

TEST_CASE("parser: chunks are decoded, extensions and trailers dropped") {
  const auto outcome = read_every_way(
      post_with("Transfer-Encoding: chunked\r\nTrailer: X\r\n",
                "5;name=value\r\nhello\r\n00A;q=\"a b\"\r\n, world, 1\r\n0;last\r\nX: trailer\r\n\r\n"));
  REQUIRE(outcome.requests.size() == 1);
  CHECK(outcome.requests[0].body == "hello, world, 1");
  CHECK_FALSE(outcome.requests[0].headers.get("X").has_value());
}

TEST_CASE("parser: broken chunks are refused") {
  using namespace std::string_literals;
  const std::vector<std::string> bodies{
      "5\nhello\r\n0\r\n\r\n",
      "5\rhello\r\n0\r\n\r\n",
      "5\r\nhello0\r\n\r\n",
      "5\r\nhello\n0\r\n\r\n",
      "5\r\nhello\r0\r\n\r\n",
      "5\r\nhelloXX0\r\n\r\n",
      "-5\r\nhello\r\n0\r\n\r\n",
      "0x5\r\nhello\r\n0\r\n\r\n",
      "\r\nhello\r\n0\r\n\r\n",
      " 5\r\nhello\r\n0\r\n\r\n",
      "5 \r\nhello\r\n0\r\n\r\n",
      "5;a\nb\r\nhello\r\n0\r\n\r\n",
      "5;a\0\r\nhello\r\n0\r\n\r\n"s,
      "g\r\n",
      "00000000000000005\r\nhello\r\n0\r\n\r\n",
      "0\r\nX: a\n\r\n",
      "0\r\nX : a\r\n\r\n",
      "0\r\n X: a\r\n\r\n",
      "0\r\nX\r\n\r\n",
      "0\n\r\n",
      "0\r\n\n",
  };
  for (const auto& body : bodies) {
    CAPTURE(body);
    CHECK(status_of(post_with("Transfer-Encoding: chunked\r\n", body)) == 400);
  }
}

TEST_CASE("parser: chunk extensions and trailers are bounded") {
  const auto chunked = [](const std::string& body) {
    return post_with("Transfer-Encoding: chunked\r\n", body);
  };
  constexpr auto most = http::ChunkScanner::extension_bytes;
  CHECK(read({chunked("1;" + std::string(most, 'x') + "\r\na\r\n0\r\n\r\n")}).status == 0);
  CHECK(read({chunked("1;" + std::string(most + 1, 'x') + "\r\na\r\n0\r\n\r\n")}).status == 400);
  std::string many;
  for (std::size_t i = 0; i <= most; ++i)
    many += "1;x\r\na\r\n";
  CHECK(read({chunked(many)}).status == 400);
  http::ParserLimits limits = part::parser_limits({});
  limits.header_bytes = 40;
  CHECK(read({chunked("0\r\nX: " + std::string(35, 'y') + "\r\n\r\n")}, limits).status == 0);
  CHECK(read({chunked("0\r\nX: " + std::string(36, 'y') + "\r\n\r\n")}, limits).status == 431);
}

TEST_CASE("parser: it says when a client waits for 100 (Continue)") {
  const http::ParserLimits limits = part::parser_limits({});
  const auto waits = [&limits](std::string_view text) {
    http::Parser parser(limits);
    CHECK(parser.next(text) == Step::head);
    return parser.wants_continue();
  };
  CHECK(waits(post_with("Expect: 100-Continue\r\nContent-Length: 1\r\n")));
  CHECK(waits(post_with("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n")));
  CHECK_FALSE(waits(post_with("Content-Length: 1\r\n")));
  CHECK_FALSE(waits(post_with("Expect: 100-continue\r\n")));
  CHECK_FALSE(waits("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
}

TEST_CASE("parser: an empty line is not yet a request") {
  const http::ParserLimits limits = part::parser_limits({});
  http::Parser parser(limits);
  std::string_view input = "\r\n";
  CHECK(parser.next(input) == Step::need_more);
  CHECK_FALSE(parser.in_request());
  input = "G";
  CHECK(parser.next(input) == Step::need_more);
  CHECK(parser.in_request());
}

TEST_CASE("parser: after a refusal nothing is read any more") {
  const http::ParserLimits limits = part::parser_limits({});
  http::Parser parser(limits);
  std::string_view input = "GET / HTTP/1.1\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
  CHECK(parser.next(input) == Step::refused);
  CHECK(parser.next(input) == Step::refused);
  CHECK(input.empty());
}

}  // namespace parser_test
