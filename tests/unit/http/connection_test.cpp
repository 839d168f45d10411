#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "unit/http/connection_fixture.h"

namespace connection_test {

namespace base = roomcast::base;
namespace http = roomcast::http;
namespace net = roomcast::net;
namespace part = roomcast::part;
using namespace roomcast::http::test;
using Fixture = ConnectionFixture;

TEST_CASE_FIXTURE(Fixture, "connection: HTTP/1.1 stays open and answers again") {
  CHECK(exchange(get("/1")) == ok("/1"));
  CHECK(exchange(get("/2")) == ok("/2"));
  CHECK_FALSE(stream.shut_down);
  CHECK(server.connections() == 1);
  CHECK(server.stats().answers[2] == 2);
}

TEST_CASE_FIXTURE(Fixture, "connection: HTTP/1.1 closes when asked") {
  CHECK(exchange(get("/", "Connection: close\r\n")) == ok("/", "Connection: close\r\n"));
  CHECK(stream.shut_down);
  CHECK_FALSE(stream.destroyed);
  stream.end();
  reap();
  CHECK(stream.destroyed);
  CHECK(server.connections() == 0);
  CHECK(control.connections() == 0);
}

TEST_CASE_FIXTURE(Fixture, "connection: HTTP/1.0 closes unless keep-alive is asked for") {
  CHECK(exchange("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n") ==
        ok("/", "Connection: keep-alive\r\n"));
  CHECK_FALSE(stream.shut_down);
  CHECK(exchange("GET / HTTP/1.0\r\n\r\n") == ok("/", "Connection: close\r\n"));
  CHECK(stream.shut_down);
}

TEST_CASE_FIXTURE(Fixture, "connection: pipelined requests are answered in order") {
  CHECK(exchange(get("/1") + get("/2") + get("/3")) == ok("/1") + ok("/2") + ok("/3"));
}

TEST_CASE_FIXTURE(Fixture, "connection: what is pipelined behind a deferred answer waits for it") {
  CHECK(exchange(get("/1") + get("/later") + get("/3")) == ok("/1"));
  CHECK(exchange(get("/4")) == "");
  server.respond(probe.deferred.at(0), http::Response::of(200, "text/plain", "now"));
  CHECK(stream.take() == ok("now"));
  CHECK(probe.seen.size() == 2);  // no handler runs within the call that answers
  stream.send(get("/5"));
  reap();
  CHECK(stream.take() == ok("/3") + ok("/4") + ok("/5"));
}

TEST_CASE_FIXTURE(Fixture, "connection: an answer deferred and given within the handler keeps the order") {
  CHECK(exchange(get("/1") + get("/at-once") + get("/3")) == ok("/1") + ok("at once") + ok("/3"));
}

TEST_CASE_FIXTURE(Fixture, "connection: a deferred answer is given once and only to its own request") {
  exchange(get("/later"));
  server.respond(probe.deferred.at(0), http::Response::of(200, "text/plain", "now"));
  CHECK(stream.take() == ok("now"));
  exchange(get("/later"));
  server.respond(probe.deferred.at(0), http::Response::of(200, "text/plain", "again"));
  CHECK(stream.take() == "");
  server.respond(probe.deferred.at(1), http::Response::of(200, "text/plain", "second"));
  CHECK(stream.take() == ok("second"));
}

TEST_CASE_FIXTURE(Fixture, "connection: a deferred answer has no effect once the client has left") {
  exchange(get("/later"));
  stream.events->on_error("reset");
  reap();
  CHECK(stream.destroyed);
  server.respond(probe.deferred.at(0), http::Response::of(200, "text/plain", "now"));
  CHECK(stream.take() == "");
}

TEST_CASE_FIXTURE(Fixture, "connection: a watch is notified once that its client has left, and no other") {
  const std::vector<base::SlotId> told{{42, 7}};
  exchange(get("/watched"));
  CHECK(probe.gone.empty());
  SUBCASE("broken") {
    stream.events->on_error("reset");
    CHECK(probe.gone == told);
  }
  SUBCASE("closed") {
    stream.end();
    CHECK(probe.gone == told);
    stream.events->on_error("reset");
  }
  reap();
  CHECK(probe.gone == told);
  CHECK(stream.destroyed);
  CHECK(stream.written == "");
  CHECK(server.connections() == 0);
}

TEST_CASE_FIXTURE(Fixture, "connection: a client that leaves after a watched answer is not reported") {
  exchange(get("/watched"));
  server.respond(probe.deferred.at(0), http::Response::of(200, "text/plain", "now"));
  CHECK(stream.take() == ok("now"));
  SUBCASE("at once") {}
  SUBCASE("within a later answer without a watch") { exchange(get("/later")); }
  stream.events->on_error("reset");
  reap();
  CHECK(stream.destroyed);
  CHECK(probe.gone.empty());
}

TEST_CASE_FIXTURE(Fixture, "connection: reading pauses while too much is pipelined behind an open answer") {
  exchange(get("/later"));
  const std::size_t read_ahead = part::connection_settings({}).read_ahead_bytes;
  stream.send(std::string(read_ahead - 1, 'x'));
  CHECK_FALSE(stream.paused);
  stream.send("x");
  CHECK(stream.paused);
  server.respond(probe.deferred.at(0), http::Response::of(200, "text/plain", "now"));
  reap();
  CHECK_FALSE(stream.paused);
}

TEST_CASE_FIXTURE(Fixture, "connection: pipelined requests wait while the client does not read the answers") {
  stream.room = 10;
  stream.send(get("/big") + get("/2"));
  CHECK(probe.seen.size() == 1);
  stream.send(get("/3"));
  CHECK(probe.seen.size() == 1);
  stream.make_room(1'000'000);
  reap();
  CHECK(probe.seen == std::vector<std::string>{"/big", "/2", "/3"});
  CHECK(count(stream.written, "HTTP/1.1 200 OK") == 3);
}

TEST_CASE_FIXTURE(Fixture, "connection: HEAD is answered like GET but without the body") {
  CHECK(exchange("HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n") == ok("/1").substr(0, ok("/1").size() - 2));
  CHECK(exchange(get("/2")) == ok("/2"));
}

TEST_CASE_FIXTURE(Fixture, "connection: 204 has neither body nor Content-Length") {
  CHECK(exchange(get("/empty")) ==
        "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        "X-Content-Type-Options: nosniff\r\n\r\n");
}

TEST_CASE_FIXTURE(Fixture,
                  "connection: 100 (Continue) is sent once the head is accepted and a body is wanted") {
  const std::string head = "POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  CHECK(exchange(head) == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(exchange("hi") == ok("/phi"));
  CHECK(exchange(head + "hi") == ok("/phi"));
}

TEST_CASE_FIXTURE(Fixture, "connection: a body that is too large is refused instead of continued") {
  const auto answer =
      exchange("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 413 Content Too Large\r\n"));
  CHECK(answer.find("limits.body_bytes (1048576)") != std::string::npos);
  CHECK(is_closing(answer));
  CHECK(stream.shut_down);
  exchange(std::string(1048577, 'x'));
  CHECK(stream.take() == "");
  CHECK_FALSE(stream.destroyed);
}

TEST_CASE_FIXTURE(Fixture,
                  "connection: a malformed request gets one answer, and nothing behind it is looked at") {
  const auto answer = exchange(get("/1") + "GET /2 HTTP/1.1\nHost: a\r\n\r\n" + get("/3"));
  CHECK(answer.starts_with(ok("/1") + "HTTP/1.1 400 Bad Request\r\n"));
  CHECK(count(answer, "HTTP/1.1") == 2);
  CHECK(is_closing(answer));
  CHECK(exchange(get("/4")) == "");
  CHECK(probe.seen == std::vector<std::string>{"/1"});
  CHECK(server.stats().bad_requests == 1);
}

TEST_CASE_FIXTURE(Fixture, "connection: what is refused behind a HEAD request gets a body all the same") {
  const auto answers = exchange("HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\nno request\r\n");
  CHECK(answers.find("400 Bad Request") != std::string::npos);
  CHECK(answers.find("\"bad_request\"") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "connection: a malformed HEAD request gets no body either") {
  const auto answer = exchange("HEAD / HTTP/1.1\r\nHost: a b\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE_FIXTURE(Fixture,
                  "connection: what is pipelined behind the last answer doesn't keep FIN from being seen") {
  exchange(get("/later", "Connection: close\r\n"));
  stream.send(std::string(20'000, 'x'));
  CHECK(stream.paused);
  server.respond(probe.deferred.at(0), http::Response::of(200, "text/plain", "now"));
  reap();
  CHECK(stream.shut_down);
  CHECK_FALSE(stream.paused);
}

TEST_CASE_FIXTURE(Fixture,
                  "connection: after the last answer it waits for FIN, a little while and a few bytes") {
  exchange(get("/", "Connection: close\r\n"));
  CHECK(stream.shut_down);
  exchange(std::string(part::connection_settings({}).linger_bytes, 'x'));
  CHECK_FALSE(stream.destroyed);
  SUBCASE("one byte more") { exchange("x"); }
  SUBCASE("FIN") {
    stream.end();
    reap();
  }
  SUBCASE("time") { pass(2100); }
  CHECK(stream.destroyed);
}

TEST_CASE_FIXTURE(Fixture, "connection: a client that sends nothing is closed without a response") {
  pass(9900);
  CHECK_FALSE(stream.destroyed);
  pass(200);
  CHECK(stream.destroyed);
  CHECK(stream.written == "");
  CHECK(server.stats().timeouts == 1);
}

TEST_CASE_FIXTURE(Fixture, "connection: a head that trickles in is answered 408 at its deadline") {
  pass(5000);
  for (int i = 0; i < 9; ++i) {
    stream.send(get("/").substr(static_cast<std::size_t>(i), 1));
    pass(1000);
  }
  CHECK(stream.written == "");
  pass(1100);
  CHECK(stream.written.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  CHECK(is_closing(stream.written));
  CHECK(probe.seen.empty());
  CHECK(server.stats().timeouts == 1);
  CHECK(server.stats().bad_requests == 0);
}

TEST_CASE_FIXTURE(Fixture, "connection: a body that trickles in is answered 408 at its deadline") {
  stream.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
  for (int i = 0; i < 29; ++i) {
    stream.send("x");
    pass(1000);
  }
  CHECK(stream.written == "");
  pass(1100);
  CHECK(stream.written.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
}

TEST_CASE_FIXTURE(
    Fixture, "connection: between requests it may be idle for 75 seconds, longer than proxies keep theirs") {
  exchange(get("/1"));
  pass(74'900);
  CHECK(exchange(get("/2")) == ok("/2"));
  exchange("\r\n");  // an empty line is not a request
  pass(75'100);
  CHECK(stream.destroyed);
  CHECK(stream.written == "");
}

TEST_CASE_FIXTURE(Fixture, "connection: a deferred answer may take longer than any deadline") {
  exchange(get("/later"));
  pass(1'000'000);
  CHECK_FALSE(stream.destroyed);
}

TEST_CASE_FIXTURE(
    Fixture, "connection: a client that does not read its answer is dropped, one that reads slowly is not") {
  stream.room = 10;
  exchange(get("/big"));
  pass(29'000);
  stream.make_room(10);
  pass(29'000);
  CHECK_FALSE(stream.destroyed);
  stream.make_room(0);  // called, although nothing could be written
  pass(1100);
  CHECK(stream.destroyed);
}

TEST_CASE_FIXTURE(Fixture, "connection: a client that closed only its sending half is still answered") {
  stream.room = 10;
  exchange(get("/later") + get("/2"));
  stream.end();
  CHECK_FALSE(stream.destroyed);
  server.respond(probe.deferred.at(0), http::Response::of(200, "text/plain", "now"));
  stream.make_room(1'000'000);
  reap();
  CHECK(scheduler.dirty.empty());
  CHECK(stream.written == ok("now") + ok("/2"));
  CHECK(stream.destroyed);
}

TEST_CASE_FIXTURE(Fixture, "connection: end of stream within a request closes without an answer") {
  exchange("GET / HT");
  stream.end();
  reap();
  CHECK(stream.destroyed);
  CHECK(stream.written == "");
}

TEST_CASE_FIXTURE(Fixture, "connection: a response that a new owner continues is counted by its status") {
  stream.send(get("/endless"));
  reap();
  REQUIRE(probe.hand_over.has_value());
  CHECK(stream.take() == "HTTP/1.1 200 OK\r\n\r\n");
  CHECK(server.stats().answers[1] == 0);
  CHECK(server.stats().answers[2] == 1);
}

TEST_CASE_FIXTURE(Fixture, "connection: an upgrade hands the stream over with the bytes already read") {
  stream.send(get("/1") + get("/up", "Connection: Upgrade\r\nUpgrade: x\r\n") + "frames");
  reap();
  REQUIRE(probe.hand_over.has_value());
  CHECK(stream.take() == ok("/1") + "HTTP/1.1 101 Switching Protocols\r\n\r\n");
  CHECK(probe.hand_over->leftover == "frames");
  CHECK(probe.hand_over->peer == "192.0.2.1");
  CHECK(probe.hand_over->admission.address() == "192.0.2.1");
  CHECK(probe.hand_over->unsent.empty());
  CHECK(server.connections() == 0);
  CHECK(server.stats().answers[1] == 1);
  CHECK_FALSE(stream.destroyed);
  pass(100'000);  // no deadline of the HTTP connection is left
  CHECK_FALSE(stream.destroyed);
  CHECK(control.connections() == 1);
  probe.hand_over.reset();
  CHECK(control.connections() == 0);
  CHECK(stream.destroyed);
}

TEST_CASE_FIXTURE(Fixture, "connection: an upgrade hands over what the client could not take yet") {
  stream.room = 20;
  stream.send(get("/1") + get("/up"));
  reap();
  REQUIRE(probe.hand_over.has_value());
  stream.room = 1'000'000;
  CHECK(probe.hand_over->unsent.flush(*probe.hand_over->stream));
  CHECK(stream.take() == ok("/1") + "HTTP/1.1 101 Switching Protocols\r\n\r\n");
}

TEST_CASE_FIXTURE(
    Fixture, "connection: an upgrade behind a deferred answer gets its leftover and a stream that reads") {
  exchange(get("/later") + get("/up") + std::string(20'000, 'f'));
  CHECK(stream.paused);
  server.respond(probe.deferred.at(0), http::Response::of(200, "text/plain", "now"));
  reap();
  REQUIRE(probe.hand_over.has_value());
  CHECK(probe.hand_over->leftover == std::string(20'000, 'f'));
  CHECK_FALSE(stream.paused);
}

TEST_CASE_FIXTURE(Fixture, "connection: a handler that fails or forgets is answered for with 500") {
  CHECK(exchange(get("/nothing")).starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
  CHECK(exchange(get("/throw")).starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
  CHECK(exchange(get("/defer-and-throw")).starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
  server.respond(probe.deferred.at(0), http::Response::of(200, "text/plain", "late"));
  CHECK(stream.take() == "");
  CHECK(exchange(get("/2")) == ok("/2"));
}

TEST_CASE_FIXTURE(Fixture,
                  "connection: draining closes idle ones at once and busy ones behind their answer") {
  StreamRecord idle;
  server.accept(std::make_unique<StreamDouble>(idle), {});
  exchange(get("/later"));
  server.drain();
  reap();
  CHECK(idle.destroyed);
  CHECK_FALSE(stream.destroyed);
  server.respond(probe.deferred.at(0), http::Response::of(200, "text/plain", "now"));
  CHECK(stream.take() == ok("now", "Connection: close\r\n"));
  CHECK(stream.shut_down);
}

TEST_CASE_FIXTURE(Fixture, "connection: the client's address comes from a trusted proxy only") {
  exchange(get("/", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"));
  CHECK(probe.clients.back().address == "192.0.2.1");
  server.set_trusted_proxy([](std::string_view address) { return address == "192.0.2.1"; });
  exchange(get("/", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"));
  CHECK(probe.clients.back().address == "203.0.113.9");
  CHECK(probe.clients.back().secure);
}

TEST_CASE_FIXTURE(Fixture, "connection: two requests split at every offset are answered the same") {
  const std::string text = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" + get("/2");
  for (std::size_t i = 1; i < text.size(); ++i) {
    std::string answers = exchange(text.substr(0, i));
    answers += exchange(text.substr(i));
    CHECK(answers == ok("/1hi") + ok("/2"));
  }
}

}  // namespace connection_test
