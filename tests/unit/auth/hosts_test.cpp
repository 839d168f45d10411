#include "auth/hosts.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "auth/gate.h"

namespace hosts_test {

namespace auth = roomcast::auth;
namespace http = roomcast::http;

namespace {

http::Request request(std::string_view host, bool on_loopback = true) {
  http::Request asked;
  asked.client = {"127.0.0.1", false, false, on_loopback};
  asked.headers.add("Host", host);
  return asked;
}

bool allows(const std::vector<std::string>& entries, const http::Request& asked) {
  const auto rules = auth::HostRules::parse(entries);
  REQUIRE(rules.ok());
  return rules->allow(asked);
}

}  // namespace

TEST_CASE("hosts: on loopback only what DNS has no say in, unless it is listed") {
  for (const char* host :
       {"localhost", "LOCALHOST:8080", "localhost.", "a.localhost", "127.0.0.1:1", "[::1]", "192.0.2.1"}) {
    CAPTURE(host);
    CHECK(allows({}, request(host)));
  }
  for (const char* host :
       {"evil.test", "localhost.evil.test", "xlocalhost", "127.0.0.1.evil.test", "127.1"}) {
    CAPTURE(host);
    CHECK_FALSE(allows({}, request(host)));
    CHECK_FALSE(allows({"chat.test", "*.chat.test"}, request(host)));
    CHECK(allows({"*"}, request(host)));
    CHECK(allows({}, request(host, false)));
    CHECK_FALSE(allows({"chat.test"}, request(host, false)));
  }
}

TEST_CASE("hosts: a listed name passes with any port, a wildcard stands for what is below") {
  for (const char* host : {"chat.test", "CHAT.test:81", "chat.test.", "a.sub.test", "a.b.sub.test"}) {
    CAPTURE(host);
    CHECK(allows({"Chat.test", "*.sub.test"}, request(host)));
  }
  CHECK_FALSE(allows({"*.sub.test"}, request("sub.test")));
  CHECK_FALSE(allows({"*.sub.test"}, request("xsub.test")));
}

TEST_CASE("hosts: what was allowed before does not count for another name") {
  const auto rules = auth::HostRules::parse({"chat.test"});
  REQUIRE(rules.ok());
  for (int round = 0; round < 2; ++round) {
    CHECK_FALSE(rules->allow(request("")));
    CHECK(rules->allow(request("chat.test:80")));
    CHECK(rules->allow(request("chat.test:80")));
    CHECK_FALSE(rules->allow(request("chat.test:80.evil.test")));
    CHECK_FALSE(rules->allow(request("evil.test")));
    CHECK(rules->allow(request("localhost")));
  }
}

TEST_CASE("hosts: trusted proxies and Unix sockets may name any") {
  auto forwarded = request("evil.test");
  forwarded.client.is_forwarded = true;
  CHECK(allows({}, forwarded));
  auto local = request("evil.test");
  local.client.address = "unix";
  CHECK(allows({}, local));
}

TEST_CASE("hosts: an entry that is none is an error that names it") {
  for (const char* entry :
       {"", "http://a.test", "a.test:80", "a.test/", "a b", "*a.test", "a.*", "::1", "*."}) {
    CAPTURE(entry);
    const auto parsed = auth::HostRules::parse({entry});
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().message.find("hosts: '" + std::string(entry) + "'") == 0);
  }
}

TEST_CASE("gate: another host is 421, and a listed page may read any answer") {
  auth::HostRules hosts;
  auth::OriginRules origins = *auth::OriginRules::parse({"https://a.test"});
  roomcast::base::Log log{roomcast::base::LogLevel::error, roomcast::base::LogFormat::text};
  auth::Gate gate(hosts, origins, log);
  CHECK(gate.objection(request("evil.test"))->code == roomcast::base::Refusal::Code::host_denied);
  CHECK_FALSE(gate.objection(request("localhost")));
  auto asked = request("localhost");
  asked.headers.add("Origin", "https://a.test");
  const http::RequestContext context = gate.context_of(asked);
  REQUIRE(context.reader);
  CHECK(*context.reader == "https://a.test");
  CHECK(context.origin == http::OriginVerdict::listed);
  http::Headers headers;
  headers.add("Vary", "Accept");
  gate.complete(asked, context, headers);
  CHECK(headers.count("Access-Control-Allow-Origin") == 1);
  CHECK(headers.joined("Vary") == "Accept, Origin");
  http::Headers with_vary;
  with_vary.add("Vary", "Accept, Origin");
  gate.complete(asked, context, with_vary);
  CHECK(with_vary.joined("Vary") == "Accept, Origin");
  http::Headers others;
  gate.complete(asked, gate.context_of(request("localhost")), others);
  CHECK(others.count("Access-Control-Allow-Origin") == 0);
  CHECK(others.joined("Vary") == "Origin");
  origins = {};
  http::Headers none;
  gate.complete(asked, gate.context_of(asked), none);
  CHECK(none.empty());
}

}  // namespace hosts_test
