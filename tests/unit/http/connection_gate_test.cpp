#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/gate.h"
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
  [[nodiscard]] bool admit(http::Exchange& /*exchange*/, http::Access /*access*/) override { return true; }
  [[nodiscard]] bool answer_preflight(http::Exchange& /*exchange*/, http::Access /*access*/,
                                      std::string_view /*methods*/) const override {
    return false;
  }
  [[nodiscard]] bool has_readers() const override { return true; }
  void complete(const http::Request& /*request*/, const http::RequestContext& context,
                http::Headers& headers) const override {
    if (context.reader) headers.add("Reader", *context.reader);
  }
};

struct GateFixture : ConnectionFixture {
  GateFixture() { server.set_gate(gate); }
  GateDouble gate;
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

}  // namespace connection_gate_test
