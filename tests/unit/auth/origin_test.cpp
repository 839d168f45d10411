#include "auth/origin.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace origin_test {

namespace auth = roomcast::auth;
namespace http = roomcast::http;
using http::OriginVerdict;

namespace {

auth::OriginRules rules(const std::vector<std::string>& entries) {
  auto parsed = auth::OriginRules::parse(entries);
  REQUIRE(parsed.ok());
  return *parsed;
}

http::Request request(std::string_view origin, std::string_view host = "example.org", bool secure = false) {
  http::Request asked;
  asked.client.secure = secure;
  if (!host.empty()) asked.headers.add("Host", std::string(host));
  if (!origin.empty()) asked.headers.add("Origin", std::string(origin));
  return asked;
}

OriginVerdict verdict(const http::Request& asked, const std::vector<std::string>& entries = {}) {
  return auth::check_origin(asked, rules(entries)).verdict;
}

}  // namespace

TEST_CASE("origin: a client that sends none is not a browser") {
  CHECK(verdict(request("")) == OriginVerdict::not_a_browser);
  CHECK(auth::check_origin(request(""), rules({})).allowed());
}

TEST_CASE("origin: the same scheme, host and port is the same origin") {
  CHECK(verdict(request("http://example.org")) == OriginVerdict::same_origin);
  CHECK(verdict(request("http://example.org:80")) == OriginVerdict::same_origin);
  CHECK(verdict(request("HTTP://Example.ORG", "EXAMPLE.org:80")) == OriginVerdict::same_origin);
  CHECK(verdict(request("http://localhost:8080", "localhost:8080")) == OriginVerdict::same_origin);
  CHECK(verdict(request("https://example.org", "example.org", true)) == OriginVerdict::same_origin);
  CHECK(verdict(request("https://example.org:443", "example.org", true)) == OriginVerdict::same_origin);
  CHECK(verdict(request("http://[::1]:8080", "[::1]:8080")) == OriginVerdict::same_origin);
}

TEST_CASE("origin: anything else is another origin and denied") {
  for (const char* origin : {"https://example.org",
                             "http://example.org:8080",
                             "http://example.org.evil.test",
                             "http://evilexample.org",
                             "http://www.example.org",
                             "http://org",
                             "null",
                             "example.org",
                             "http://",
                             "http:///example.org",
                             "http://example.org/",
                             "http://example.org/x",
                             "http://example.org@evil.test",
                             "http://user@example.org",
                             "http://example.org http://example.org",
                             "http://example.org, http://example.org",
                             "http://example.org#",
                             "http://example.org?",
                             "file://",
                             "://example.org",
                             "ftp://example.org",
                             "http//example.org",
                             " ",
                             "*"}) {
    CAPTURE(origin);
    CHECK(verdict(request(origin)) == OriginVerdict::denied);
  }
  CHECK(verdict(request("http://example.org", "example.org", true)) == OriginVerdict::denied);
  CHECK(verdict(request("http://example.org", "")) == OriginVerdict::denied);
  auto twice = request("http://example.org");
  twice.headers.add("Origin", "http://example.org");
  CHECK(verdict(twice) == OriginVerdict::denied);
}

TEST_CASE("origin: a denial names what to add to the configuration") {
  const auto asked = request("https://chat.test:8443");
  CHECK_FALSE(auth::check_origin(asked, rules({})).allowed());
  const auto denial = auth::explain_denial(asked);
  CHECK(denial.origin == "https://chat.test:8443");
  CHECK(denial.message.find("\"https://chat.test:8443\" to the config key origins") != std::string::npos);
  CHECK(denial.hint == "to allow it add it to the config key origins");
}

TEST_CASE("origin: a listed origin is allowed, exactly") {
  const std::vector<std::string> entries{"https://chat.test", "http://Localhost:3000"};
  CHECK(verdict(request("https://chat.test"), entries) == OriginVerdict::listed);
  CHECK(verdict(request("https://CHAT.test:443"), entries) == OriginVerdict::listed);
  CHECK(verdict(request("http://localhost:3000"), entries) == OriginVerdict::listed);
  for (const char* origin : {"http://chat.test", "https://chat.test:8443", "https://a.chat.test",
                             "https://chat.test.a", "http://localhost", "null"}) {
    CAPTURE(origin);
    CHECK(verdict(request(origin), entries) == OriginVerdict::denied);
  }
}

TEST_CASE("origin: what is listed is listed, the server's own origin as well") {
  CHECK(verdict(request("http://example.org"), {"http://example.org"}) == OriginVerdict::listed);
  CHECK(verdict(request("http://example.org"), {"*"}) == OriginVerdict::listed);
  CHECK(verdict(request("http://example.org"), {"https://other.test"}) == OriginVerdict::same_origin);
}

TEST_CASE("origin: a wildcard stands for whole labels below a domain, and never for the domain itself") {
  const std::vector<std::string> entries{"https://*.chat.test"};
  CHECK(verdict(request("https://a.chat.test"), entries) == OriginVerdict::listed);
  CHECK(verdict(request("https://a.b.Chat.test"), entries) == OriginVerdict::listed);
  for (const char* origin :
       {"https://chat.test", "https://evilchat.test", "https://.chat.test", "http://a.chat.test",
        "https://a.chat.test:8443", "https://a.chat.test.evil.test", "https://chat.test.evil.test",
        "https://evil.test/.chat.test", "https://evil.test#.chat.test", "null"}) {
    CAPTURE(origin);
    CHECK(verdict(request(origin), entries) == OriginVerdict::denied);
  }
}

TEST_CASE("origin: apps and extensions have schemes of their own, which know no default port") {
  for (const char* origin : {"capacitor://localhost", "chrome-extension://abcdefghijklmnop",
                             "tauri://localhost", "app://obsidian.md:81", "file://"}) {
    CAPTURE(origin);
    CHECK(verdict(request(origin), {origin}) == OriginVerdict::listed);
    CHECK(verdict(request(origin), {"capacitor://other", "file://host", "null"}) == OriginVerdict::denied);
  }
  CHECK(verdict(request("capacitor://localhost:80"), {"capacitor://localhost"}) == OriginVerdict::denied);
}

TEST_CASE("origin: what no configuration would take is not advised") {
  for (const char* origin : {"nonsense", "*", "https://*.test", "https://", "https://a b", "wss://a"}) {
    CAPTURE(origin);
    CHECK(auth::explain_denial(request(origin)).message.find("add") == std::string::npos);
  }
  CHECK(auth::explain_denial(request("null")).message.find("add \"null\"") != std::string::npos);
}

TEST_CASE("origin: credentials are for origins that are listed by name or domain") {
  auto some = rules({"https://a.test", "https://*.b.test", "null", "*"});
  CHECK_FALSE(some.allow_credentials("https://a.test"));
  some.set_cors(true, {});
  CHECK(some.allow_credentials("https://a.test"));
  CHECK(some.allow_credentials("https://x.b.test"));
  CHECK_FALSE(some.allow_credentials("https://c.test"));
  CHECK_FALSE(some.allow_credentials("null"));
  CHECK(auth::check_origin(request("https://a.test"), some).credentials);
  CHECK_FALSE(auth::check_origin(request("https://c.test"), some).credentials);
}

TEST_CASE("origin: null is allowed only where it is listed, a lone asterisk allows all") {
  CHECK(verdict(request("null"), {"null"}) == OriginVerdict::listed);
  CHECK(verdict(request("https://a.test"), {"null"}) == OriginVerdict::denied);
  CHECK(verdict(request("https://a.test"), {"*"}) == OriginVerdict::listed);
  CHECK(verdict(request("null"), {"*"}) == OriginVerdict::listed);
}

TEST_CASE("origin: an entry that is no origin is an error that names it") {
  for (const char* entry :
       {"", "example.org", "https://example.org/", "https://", "https://*", "https://a.*.org",
        "*.example.org", "https://*.*.org", "https://*example.org", "http://a:99999", "ws://a", "wss://a",
        "capacitor://*.", "1x://a", "https://u@a", "NULL", "https://*."}) {
    CAPTURE(entry);
    const auto parsed = auth::OriginRules::parse({"https://good.test", entry});
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().message.find("origins: '" + std::string(entry) + "'") == 0);
  }
}

}  // namespace origin_test
