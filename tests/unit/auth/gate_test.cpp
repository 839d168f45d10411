#include "auth/gate.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "http/router.h"
#include "unit/http/connection_fixture.h"

using namespace roomcast;
using http::test::is_closing;

namespace {

/// A server with the gate and routes to a handler that echoes the request (see http::test::Probe).
struct Fixture : http::test::ConnectionFixture {
  Fixture() {
    router.set_gate(gate);
    router.add({http::Method::get, http::Method::post}, "/rooms/{room}", http::Access::origin, probe);
    for (const char* path : {"/later", "/bad", "/throw"})
      router.add({http::Method::get}, path, http::Access::origin, probe);
    router.add({http::Method::get}, "/open", http::Access::open, probe);
    front.set_gate(gate);
    probe.server = &front;
    front.accept(std::make_unique<test::StreamDouble>(page), {});
  }

  /// The response to a request; `origin`: no field if empty.
  std::string ask(std::string_view method, std::string_view path, std::string_view origin,
                  std::string_view lines = "") {
    std::string request(method);
    request.append(" ").append(path).append(" HTTP/1.1\r\nHost: chat.test\r\n");
    if (!origin.empty()) request.append("Origin: ").append(origin).append("\r\n");
    page.send(request.append(lines).append("\r\n"));
    reap();
    return page.take();
  }
  std::string preflight(std::string_view path, std::string_view origin) {
    return ask("OPTIONS", path, origin, "Access-Control-Request-Method: POST\r\n");
  }

  auth::OriginRules rules = *auth::OriginRules::parse({"https://listed.test"});
  auth::HostRules hosts = *auth::HostRules::parse({});
  auth::Gate gate{hosts, rules, log};
  http::Router router;
  http::Server front{
      router, clock, deadlines, scheduler, log, part::parser_limits({}), part::connection_settings({})};
  test::StreamRecord page;
};

bool has(const std::string& answer, std::string_view line) {
  return answer.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
}
std::string status(const std::string& answer) { return answer.substr(9, 3); }
/// Exactly once: browsers reject a second Access-Control-Allow-Origin.
bool is_readable(const std::string& answer, std::string_view origin = "https://listed.test") {
  return http::test::count(answer, "Access-Control-Allow-Origin") == 1 &&
         has(answer, "Access-Control-Allow-Origin: " + std::string(origin)) &&
         has(answer, "Cross-Origin-Resource-Policy: cross-origin") &&
         answer.find("Access-Control-Expose-Headers: ") != std::string::npos;
}
bool is_private(const std::string& answer) {
  return answer.find("Access-Control-") == std::string::npos &&
         answer.find("Cross-Origin-") == std::string::npos;
}
bool varies_once(const std::string& answer) { return http::test::count(answer, "Vary: Origin\r\n") == 1; }

}  // namespace

TEST_CASE_FIXTURE(Fixture, "gate: permitted requests reach the handler, with what the route has matched") {
  for (const char* origin : {"", "http://chat.test", "https://listed.test"})
    CHECK(ask("GET", "/rooms/lobby", origin).ends_with("\r\n\r\n/rooms/lobby"));
  CHECK(probe.seen.size() == 3);
}

TEST_CASE_FIXTURE(Fixture, "gate: pages of other origins are refused before the handler sees them") {
  for (const char* origin : {"https://other.test", "null", "https://chat.test", "nonsense"}) {
    CAPTURE(origin);
    for (const char* method : {"GET", "POST"}) {
      const std::string answer = ask(method, "/rooms/lobby", origin);
      CHECK(status(answer) == "403");
      CHECK(answer.find(R"("code":"origin_denied")") != std::string::npos);
      CHECK(answer.find(origin) != std::string::npos);
      CHECK(varies_once(answer));
      CHECK(is_private(answer));
      CHECK_FALSE(is_closing(answer));
    }
    CHECK(status(ask("HEAD", "/rooms/lobby", origin)) == "403");
  }
  CHECK(probe.seen.empty());
}

TEST_CASE_FIXTURE(Fixture, "gate: an open route has no rule about origins") {
  for (const char* origin : {"", "http://chat.test", "https://listed.test", "https://other.test", "null"})
    CHECK(status(ask("GET", "/open", origin)) == "200");
  CHECK(is_readable(ask("GET", "/open", "https://listed.test")));
  CHECK(is_private(ask("GET", "/open", "https://other.test")));
}

TEST_CASE_FIXTURE(Fixture, "gate: changed rules hold from the next request on, not for an answer under way") {
  CHECK(status(ask("GET", "/rooms/lobby", "https://other.test")) == "403");
  CHECK(ask("GET", "/later", "https://listed.test").empty());
  rules = *auth::OriginRules::parse({"https://other.test"});
  front.respond(probe.deferred.at(0), http::Response::of(200, "text/plain", "now"));
  CHECK(is_readable(page.take()));
  CHECK(is_readable(ask("GET", "/rooms/lobby", "https://other.test"), "https://other.test"));
  CHECK(status(ask("GET", "/rooms/lobby", "https://listed.test")) == "403");
}

TEST_CASE_FIXTURE(Fixture, "gate: only pages of listed origins may read a response, whatever it is") {
  const auto check = [&](const auto& answer_for) {
    CHECK(is_readable(answer_for("https://listed.test")));
    for (const char* origin : {"", "http://chat.test", "https://other.test"}) {
      const std::string answer = answer_for(origin);
      CHECK(is_private(answer));
      CHECK(varies_once(answer));
    }
  };
  check([&](const char* origin) { return ask("GET", "/rooms/lobby", origin); });
  check([&](const char* origin) { return ask("GET", "/throw", origin); });
  check([&](const char* origin) { return ask("DELETE", "/rooms/lobby", origin); });
  check([&](const char* origin) { return ask("GET", "/rooms/%zz", origin); });
  check([&](const char* origin) { return ask("GET", "/nowhere", origin); });
  check([&](const char* origin) {
    std::string answer = ask("GET", "/later", origin);
    if (!answer.empty()) return answer;
    front.respond(probe.deferred.back(), http::Response::error({base::Refusal::Code::overloaded, "not now"}));
    return page.take();
  });
}

TEST_CASE_FIXTURE(Fixture,
                  "gate: a page of its own origin that is listed as well may read as any listed one") {
  rules = *auth::OriginRules::parse({"*"});
  CHECK(is_readable(ask("GET", "/rooms/lobby", "http://chat.test"), "http://chat.test"));
}

TEST_CASE_FIXTURE(Fixture, "gate: without listed origins only answers of routes with a rule depend on them") {
  rules = {};
  CHECK(varies_once(ask("GET", "/rooms/lobby", "")));
  CHECK(varies_once(ask("GET", "/rooms/lobby", "https://other.test")));
  CHECK(ask("GET", "/open", "").find("Vary") == std::string::npos);
  CHECK(ask("GET", "/nowhere", "").find("Vary") == std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "gate: credentials are for origins that are listed by name") {
  rules = *auth::OriginRules::parse({"https://listed.test", "*"});
  rules.set_cors(true, {});
  const std::string line = "Access-Control-Allow-Credentials: true";
  CHECK(has(ask("GET", "/rooms/lobby", "https://listed.test"), line));
  CHECK_FALSE(has(ask("GET", "/rooms/lobby", "https://anybody.test"), line));
}

TEST_CASE_FIXTURE(Fixture, "gate: a preflight of a listed origin is answered with what it may do") {
  rules.set_cors(false, {"X-Mine"});
  const std::string answer = preflight("/rooms/lobby", "https://listed.test");
  CHECK(status(answer) == "204");
  CHECK(is_readable(answer));
  CHECK(varies_once(answer));
  CHECK(has(answer, "Access-Control-Allow-Methods: GET, HEAD, POST"));
  CHECK(has(answer, "Access-Control-Max-Age: 600"));
  CHECK(answer.find(", X-Mine\r\n") != std::string::npos);
  CHECK(answer.find("\r\nAllow:") == std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "gate: a preflight of any other origin is refused, its own needs none") {
  const std::string other = preflight("/rooms/lobby", "https://other.test");
  CHECK(status(other) == "403");
  CHECK(other.find("https://other.test") != std::string::npos);
  const std::string own = preflight("/rooms/lobby", "http://chat.test");
  CHECK(status(own) == "204");
  for (const std::string& answer : {other, own}) {
    CHECK(is_private(answer));
    CHECK(varies_once(answer));
  }
}

TEST_CASE_FIXTURE(Fixture, "gate: plain OPTIONS is answered with the methods, for any origin") {
  for (const char* origin : {"", "https://other.test", "https://listed.test"}) {
    const std::string answer = ask("OPTIONS", "/rooms/lobby", origin);
    CHECK(status(answer) == "204");
    CHECK(has(answer, "Allow: GET, HEAD, POST, OPTIONS"));
    CHECK(answer.find("Access-Control-Allow-Methods") == std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "gate: a preflight of an open route allows what the route answers, and is never refused") {
  const std::string answer = preflight("/open", "https://listed.test");
  CHECK(is_readable(answer));
  CHECK(has(answer, "Access-Control-Allow-Methods: GET, HEAD, OPTIONS"));
  const std::string other = preflight("/open", "https://other.test");
  CHECK(status(other) == "204");
  CHECK(is_private(other));
}

TEST_CASE_FIXTURE(Fixture,
                  "gate: no handler sees a request for another host, and a listed page can read why") {
  hosts = *auth::HostRules::parse({"only.test"});
  const std::string answer = ask("GET", "/rooms/lobby", "https://listed.test");
  CHECK(status(answer) == "421");
  CHECK(answer.find("config key hosts") != std::string::npos);
  CHECK(is_readable(answer));
  CHECK(probe.seen.empty());
}
