// Upgrades that are decided after the handler has returned.
#include <doctest/doctest.h>

#include <string>

#include "unit/http/connection_fixture.h"

namespace base = roomcast::base;
namespace http = roomcast::http;
using namespace roomcast::http::test;

namespace {

const std::string head = "HTTP/1.1 101 Switching Protocols\r\n\r\n";

struct LateFixture : ConnectionFixture {
  /// Takes over the deferred upgrade now.
  std::optional<http::HandOver> take_over() { return server.take_over(probe.deferred.at(0), head); }
  http::Response forbidden() {
    return http::Response::error({base::Refusal::Code::origin_denied, "the verdict was no"});
  }
};

/// Refuses the request unless it was decided before.
class VerdictDeadline final : private base::Deadline::Listener {
 public:
  VerdictDeadline(base::Deadlines& deadlines, http::DeferredResponses& connections, base::SlotId exchange)
      : connections_(connections), exchange_(exchange), deadline_(deadlines, *this) {
    deadline_.set_in(5'000);
  }

 private:
  void on_deadline() override {
    connections_.respond(
        exchange_, http::Response::error({base::Refusal::Code::timed_out, "it took too long to decide"}));
  }
  http::DeferredResponses& connections_;
  base::SlotId exchange_;
  base::Deadline deadline_;
};

}  // namespace

TEST_CASE_FIXTURE(LateFixture, "late upgrade: the stream is handed over turns after the request") {
  CHECK(exchange(get("/1") + get("/watched", "Connection: Upgrade\r\n") + "frames") == ok("/1"));
  pass(100'000);
  stream.send(", more");
  reap();
  auto hand_over = take_over();
  REQUIRE(hand_over.has_value());
  CHECK(stream.take() == head);
  CHECK(hand_over->leftover == "frames, more");
  CHECK(hand_over->peer == "192.0.2.1");
  CHECK(hand_over->admission.address() == "192.0.2.1");
  CHECK(hand_over->unsent.empty());
  CHECK(server.connections() == 0);
  CHECK(server.stats().answers[1] == 1);
  reap();
  pass(100'000);  // no deadline of the HTTP connection is left
  CHECK_FALSE(stream.destroyed);
  CHECK(control.connections() == 1);
  hand_over.reset();
  CHECK(control.connections() == 0);
  CHECK(stream.destroyed);
  CHECK(probe.gone.empty());
}

TEST_CASE_FIXTURE(LateFixture, "late upgrade: it happens once") {
  exchange(get("/later"));
  const auto hand_over = take_over();
  CHECK(hand_over.has_value());
  CHECK_FALSE(take_over().has_value());
  server.respond(probe.deferred.at(0), forbidden());
  reap();
  CHECK(stream.take() == head);
}

TEST_CASE_FIXTURE(LateFixture, "late upgrade: a stream that was paused meanwhile reads again") {
  exchange(get("/later"));
  stream.send(std::string(20'000, 'f'));
  CHECK(stream.paused);
  const auto hand_over = take_over();
  REQUIRE(hand_over.has_value());
  CHECK(hand_over->leftover == std::string(20'000, 'f'));
  CHECK_FALSE(stream.paused);
}

TEST_CASE_FIXTURE(LateFixture, "late upgrade: what the client could not take yet goes with the stream") {
  stream.room = 20;
  stream.send(get("/1") + get("/later"));
  auto hand_over = take_over();
  REQUIRE(hand_over.has_value());
  stream.room = 1'000'000;
  CHECK(hand_over->unsent.flush(*hand_over->stream));
  CHECK(stream.take() == ok("/1") + head);
}

TEST_CASE_FIXTURE(LateFixture, "late upgrade: a verdict that is there at once need not wait") {
  stream.send(get("/1") + get("/up-by-name") + "frames");
  reap();
  REQUIRE(probe.hand_over.has_value());
  CHECK(stream.take() == ok("/1") + head);
  CHECK(probe.hand_over->leftover == "frames");
  CHECK(server.connections() == 0);
}

TEST_CASE_FIXTURE(LateFixture, "late upgrade: a verdict of no is an answer, and the connection goes on") {
  exchange(get("/later"));
  server.respond(probe.deferred.at(0), forbidden());
  CHECK(stream.take().starts_with("HTTP/1.1 403 "));
  CHECK_FALSE(take_over().has_value());
  CHECK(exchange(get("/2")) == ok("/2"));
}

TEST_CASE_FIXTURE(LateFixture, "late upgrade: nothing is handed over of a client that has gone meanwhile") {
  SUBCASE("broken") {
    exchange(get("/later"));
    stream.events->on_error("reset");
  }
  SUBCASE("closed, and its handler wanted to know") {
    exchange(get("/watched"));
    stream.end();
    CHECK(probe.gone.size() == 1);
  }
  SUBCASE("closed its half, which the new owner of the stream would not notice") {
    exchange(get("/later"));
    stream.end();
    CHECK_FALSE(stream.destroyed);
  }
  CHECK_FALSE(take_over().has_value());
  reap();
  CHECK(stream.destroyed);
  CHECK(stream.take().empty());
  CHECK(server.connections() == 0);
  CHECK(control.connections() == 0);
}

TEST_CASE_FIXTURE(LateFixture, "late upgrade: a client that closed its half is still sent what came before") {
  stream.room = 0;
  stream.send(get("/1") + get("/later"));
  stream.end();
  CHECK_FALSE(take_over().has_value());
  CHECK_FALSE(stream.destroyed);
  stream.make_room(1'000'000);
  reap();
  CHECK(stream.take() == ok("/1"));
  CHECK(stream.destroyed);
}

TEST_CASE_FIXTURE(LateFixture, "late upgrade: nor does it happen within a request behind a half-closed end") {
  exchange(get("/later") + get("/up-by-name"));
  stream.end();
  server.respond(probe.deferred.at(0), http::Response::of(200, "text/plain", "now"));
  reap();
  CHECK_FALSE(probe.hand_over.has_value());
  CHECK(stream.take() == ok("now"));
  CHECK(stream.destroyed);
}

TEST_CASE_FIXTURE(LateFixture, "late upgrade: a verdict that comes behind its deadline changes nothing") {
  exchange(get("/later"));
  const VerdictDeadline deadline(deadlines, server, probe.deferred.at(0));
  pass(5'100);
  CHECK(stream.take().starts_with("HTTP/1.1 503 "));
  CHECK_FALSE(take_over().has_value());
  CHECK(exchange(get("/2")) == ok("/2"));
}

TEST_CASE_FIXTURE(LateFixture, "late upgrade: a client that reads nothing is dropped before the verdict") {
  stream.room = 10;
  stream.send(get("/1") + get("/watched"));
  reap();
  pass(30'100);
  CHECK(probe.gone.size() == 1);
  CHECK_FALSE(take_over().has_value());
  CHECK(stream.destroyed);
}
