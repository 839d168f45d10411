#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/gate.h"
#include "http/router.h"
#include "unit/http/connection_fixture.h"

namespace connection_gate_test {

namespace http = roomcast::http;
using namespace roomcast::http::test;

namespace {

/// Allows every Origin to read, and refuses the host "evil".
class GateDouble final : public http::Gate {
 public:
  [[nodiscard]] http::RequestContext context_of(const http::Request& request) const override {
    http::RequestContext context;
    if (const auto origin = request.headers.get("Origin"))
      context.reader = std::make_unique<const std::string>(*origin);
    return context;
  }
  [[nodiscard]] std::optional<roomcast::base::Refusal> objection(
      const http::Request& request) const override {
    if (request.headers.get("Host") != "evil") return std::nullopt;
    return roomcast::base::Refusal{roomcast::base::Refusal::Code::host_denied, "another host"};
  }
  [[nodiscard]] bool admit(http::Exchange& exchange, http::Access /*access*/) override {
    if (!keeps_waiting || exchange.context().is_identified) return true;
    waiting.push_back(exchange.wait_for_gate());
    return false;
  }
  [[nodiscard]] bool answer_preflight(http::Exchange& /*exchange*/, http::Access /*access*/,
                                      std::string_view /*methods*/) const override {
    return false;
  }
  [[nodiscard]] bool has_readers() const override { return true; }
  void complete(const http::Request& /*request*/, const http::RequestContext& context,
                http::Headers& headers) const override {
    if (context.reader) headers.add("Reader", *context.reader);
  }

  bool keeps_waiting = false;
  std::vector<roomcast::base::SlotId> waiting;
};

struct GateFixture : ConnectionFixture {
  GateFixture() { server.set_gate(gate); }
  GateDouble gate;
};

/// Requests go through a router, which asks the gate; the gate keeps them until `let_in`.
struct WaitingFixture : ConnectionFixture {
  WaitingFixture() {
    router.set_gate(gate);
    router.set_fallback(probe);
    for (const char* path : {"/a", "/b", "/up", "/later", "/endless"})
      router.add({http::Method::get, http::Method::post}, path, http::Access::clients, probe);
    front.set_gate(gate);
    gate.keeps_waiting = true;
    front.accept(std::make_unique<roomcast::test::StreamDouble>(page), {});
  }
  std::string send(const std::string& text) {
    page.send(text);
    reap();
    return page.take();
  }
  std::string let_in(std::size_t index = 0) {
    front.resume(gate.waiting.at(index), [](http::RequestContext& context) { context.is_identified = true; });
    reap();
    return page.take();
  }
  GateDouble gate;
  http::Router router;
  http::Server front{router,
                     clock,
                     deadlines,
                     scheduler,
                     log,
                     roomcast::part::parser_limits({}),
                     roomcast::part::connection_settings({})};
  StreamRecord page;
};

bool is_read_by(const std::string& answer, std::string_view origin) {
  return answer.find("\r\nReader: " + std::string(origin) + "\r\n") != std::string::npos;
}

const std::string long_target = "GET /" + std::string(9'000, 'x');

}  // namespace

TEST_CASE_FIXTURE(GateFixture, "gate: no handler sees what it objects to, and the connection goes on") {
  CHECK(exchange("GET /a HTTP/1.1\r\nHost: evil\r\n\r\n").starts_with("HTTP/1.1 421 "));
  CHECK(probe.seen.empty());
  CHECK(exchange(get("/b")) == ok("/b"));
}

TEST_CASE_FIXTURE(GateFixture,
                  "gate: the reader of an answer is the page that asked for it, also a deferred one") {
  CHECK(is_read_by(exchange(get("/a", "Origin: https://a\r\n")), "https://a"));
  CHECK(exchange(get("/b")) == ok("/b"));
  exchange(get("/later", "Origin: https://a\r\n"));
  server.respond(probe.deferred.at(0), http::Response::of(200, "text/plain", "now"));
  CHECK(is_read_by(stream.take(), "https://a"));
}

TEST_CASE_FIXTURE(GateFixture, "gate: a head that is refused is read on for its Origin") {
  CHECK(exchange(long_target).empty());
  CHECK(exchange(" HTTP/1.1\r\nHost: x\r\nOrigin: ").empty());
  const std::string answer = exchange("https://a\r\n");
  CHECK(answer.starts_with("HTTP/1.1 414 "));
  CHECK(is_read_by(answer, "https://a"));
  CHECK(server.stats().bad_requests == 1);
}

TEST_CASE_FIXTURE(GateFixture,
                  "gate: but not beyond the end of the head, or of the client, and not for long") {
  SUBCASE("the end of the head") {
    CHECK(exchange(long_target).empty());
    CHECK(exchange(" HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 414 "));
  }
  SUBCASE("the end of the client") {
    CHECK(exchange(long_target).empty());
    stream.end();
    reap();
    CHECK(stream.take().starts_with("HTTP/1.1 414 "));
  }
  SUBCASE("time, which more of the head does not extend") {
    CHECK(exchange(long_target).empty());
    pass(200);
    CHECK(exchange("x").empty());
    pass(100);
    CHECK(stream.take().starts_with("HTTP/1.1 414 "));
  }
  SUBCASE("64 KiB") {
    CHECK(exchange(long_target).empty());
    CHECK(exchange(std::string(65'536, 'x')).starts_with("HTTP/1.1 414 "));
  }
}

TEST_CASE_FIXTURE(GateFixture, "gate: a page can read that its request took too long") {
  exchange("GET / HTTP/1.1\r\nHost: x\r\nOrigin: https://a\r\nX");
  pass(10'100);
  const std::string answer = stream.take();
  CHECK(answer.starts_with("HTTP/1.1 408 "));
  CHECK(is_read_by(answer, "https://a"));
}

TEST_CASE_FIXTURE(GateFixture,
                  "gate: a head that a new owner writes can be given the fields of every response") {
  CHECK(is_read_by(exchange(get("/endless", "Origin: https://a\r\n")), "https://a"));
  CHECK(probe.hand_over.has_value());
}

// --- Requests that wait for the gate ---

TEST_CASE_FIXTURE(WaitingFixture, "gate: a request that waits is handled once it may, body and all") {
  CHECK(send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello").empty());
  CHECK(probe.seen.empty());
  CHECK(let_in().ends_with("\r\n\r\n/ahello"));
  CHECK(probe.seen.size() == 1);
}

TEST_CASE_FIXTURE(WaitingFixture, "gate: what follows in the same connection waits too, and stays in order") {
  CHECK(send(get("/a") + get("/b")).empty());
  CHECK(gate.waiting.size() == 1);
  CHECK(let_in(0) == ok("/a"));
  REQUIRE(gate.waiting.size() == 2);
  CHECK(let_in(1) == ok("/b"));
}

TEST_CASE_FIXTURE(WaitingFixture, "gate: it may refuse what waits") {
  send(get("/a"));
  front.respond(gate.waiting.at(0),
                http::Response::error({roomcast::base::Refusal::Code::bad_token, "not a token"}));
  reap();
  const std::string answer = page.take();
  CHECK(answer.starts_with("HTTP/1.1 401 "));
  CHECK(answer.find("WWW-Authenticate: Bearer ") != std::string::npos);
  CHECK(probe.seen.empty());
  CHECK_FALSE(let_in().starts_with("HTTP/1.1 200"));  // its turn is over
  gate.keeps_waiting = false;
  CHECK(send(get("/b")) == ok("/b"));
}

TEST_CASE_FIXTURE(WaitingFixture, "gate: a client that has gone meanwhile is not handled") {
  send(get("/a"));
  page.events->on_error("reset");
  reap();
  CHECK_FALSE(front.resume(gate.waiting.at(0), [](http::RequestContext&) {}));
  reap();
  CHECK(probe.seen.empty());
  CHECK(front.connections() == 0);
}

TEST_CASE_FIXTURE(WaitingFixture, "gate: a client that goes between verdict and turn is not handled") {
  send(get("/a"));
  front.resume(gate.waiting.at(0), [](http::RequestContext& context) { context.is_identified = true; });
  page.events->on_error("reset");
  reap();
  CHECK(probe.seen.empty());
  CHECK(front.connections() == 0);
}

TEST_CASE_FIXTURE(WaitingFixture, "gate: what waits may be an upgrade, and its new owner gets all input") {
  send(get("/up", "Connection: Upgrade\r\n") + "frames");
  page.send(", more");
  CHECK(let_in().starts_with("HTTP/1.1 101 "));
  REQUIRE(probe.hand_over.has_value());
  CHECK(probe.hand_over->leftover == "frames, more");
  CHECK_FALSE(page.paused);
}

TEST_CASE_FIXTURE(WaitingFixture,
                  "gate: while a request waits nothing is read, so that an upgrade sees the end of input") {
  send(get("/up", "Connection: Upgrade\r\n"));
  CHECK(page.paused);
  let_in();
  CHECK_FALSE(page.paused);
}

TEST_CASE_FIXTURE(WaitingFixture, "gate: a handler that defers after the wait is answered like any other") {
  send(get("/later"));
  CHECK(let_in().empty());
  REQUIRE(probe.deferred.size() == 1);
  front.respond(probe.deferred[0], http::Response::of(200, "text/plain", "at last"));
  reap();
  CHECK(page.take().ends_with("at last"));
}

}  // namespace connection_gate_test
