#include "http/url.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace url_test {

namespace http = roomcast::http;

TEST_CASE("url: percent-encoding is decoded once, to whatever bytes it stands for") {
  CHECK(*http::percent_decode("a%20b%2fc%2Fd%25%32%35") == "a b/c/d%25");
  CHECK(*http::percent_decode("%00") == std::string_view("\0", 1));
  CHECK(*http::percent_decode("+") == "+");
  CHECK(*http::percent_decode("") == "");
}

TEST_CASE("url: a broken encoding is an error that shows it") {
  for (const char* text : {"%", "%2", "a%zz", "%2g", "%-1", "%%41"}) {
    const auto result = http::percent_decode(text);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().message.find('%') != std::string::npos);
  }
}

TEST_CASE("url: an authority is a host with an optional port") {
  const auto plain = http::parse_authority("Example.ORG");
  REQUIRE(plain.has_value());
  CHECK(plain->host == "Example.ORG");
  CHECK_FALSE(plain->port.has_value());
  CHECK(http::parse_authority("a:65535")->port == 65535);
  CHECK_FALSE(http::parse_authority("a:")->port.has_value());
  CHECK(http::parse_authority("[2001:DB8::1]:80")->host == "[2001:DB8::1]");
  CHECK(http::parse_authority("[::1]")->host == "[::1]");
  CHECK(http::parse_authority("caf%c3%a9")->host == "caf%c3%a9");
}

TEST_CASE("url: what is not an authority is refused") {
  for (const char* text :
       {"",    ":80",  "a:65536", "a:-1",  "a:b",   "a:80:80", "a b",    "u@a",     "a/b",
        "a?b", "a#b",  "[::1",    "::1",   "[]",    "[1]",     "[::1]x", "[::1]:x", "[fe80::1%25eth0]",
        "a%",  "a%zz", "a\\b",    "\"a\"", "a,b c", "<a>"}) {
    CAPTURE(text);
    CHECK_FALSE(http::parse_authority(text).has_value());
  }
  CHECK_FALSE(http::parse_authority(std::string_view("a\0b", 3)).has_value());
  CHECK_FALSE(http::parse_authority(std::string_view("[::1\0]", 6)).has_value());
}

TEST_CASE("url: a target is a path, an http URL or an asterisk") {
  const auto origin = http::parse_target("/a/b?c?d");
  REQUIRE(origin.has_value());
  CHECK(origin->path == "/a/b");
  CHECK(origin->query == "c?d");
  const auto absolute = http::parse_target("HTTPS://a:1/b?c");
  REQUIRE(absolute.has_value());
  CHECK(absolute->authority == "a:1");
  CHECK(absolute->path == "/b");
  CHECK(absolute->query == "c");
  CHECK(http::parse_target("http://a")->path == "/");
  CHECK(http::parse_target("*")->path == "*");
  CHECK(http::parse_target("//a/b")->path == "//a/b");
  for (const char* text : {"", "a", "a:80", "ftp://a/", "http:/a", "http", "**", "?x"}) {
    CAPTURE(text);
    CHECK_FALSE(http::parse_target(text).has_value());
  }
}

}  // namespace url_test
