// The bounds of a client: time, bytes, transfers at a time, connections.
#include <doctest/doctest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "unit/fetch/fetch_fixture.h"

namespace roomcast::fetch::limits_test {

using Connection = test::OriginServer::Connection;
using Fixture = test::FetchFixture;
using test::Fetched;

namespace {

bool says(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

std::string chunked(std::size_t chunks, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < chunks; ++i) {
    char size[17];
    (void)std::snprintf(size, sizeof size, "%zx", bytes);
    text += std::string(size) + "\r\n" + std::string(bytes, 'x') + "\r\n";
  }
  return text + "0\r\n\r\n";
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "fetch: a server that is silent, in each phase, ends in time") {
  std::string beginning;
  server.on_request = [&](Connection& connection, const std::string&) { connection.send(beginning); };
  for (const char* part : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
                           "HTTP/1.1 100 Continue\r\n\r\n"}) {
    beginning = part;
    Request request = get();
    request.timeout_ms = 60;
    const auto begin_ms = loop.monotonic_ms();
    CHECK(fetch(request) == "timed_out");
    CHECK(loop.monotonic_ms() - begin_ms >= 55);
    CHECK(loop.monotonic_ms() - begin_ms < 5'000);
  }
  REQUIRE(run_until([&] { return server.connections() == 0; }));
  CHECK(ended(Outcome::timed_out) == 4);
}

TEST_CASE_FIXTURE(Fixture, "fetch: a timeout of 0 or less is one of a millisecond, not none") {
  server.on_request = [&](Connection&, const std::string&) {};
  for (const std::int64_t ms : {0, -1}) {
    Request request = get();
    request.timeout_ms = ms;
    CHECK(fetch(request) == "timed_out");
  }
}

TEST_CASE_FIXTURE(Fixture, "fetch: a slow trickle does not prolong it") {
  Connection* slow = nullptr;
  server.on_request = [&](Connection& connection, const std::string&) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
    slow = &connection;
  };
  Request request = get();
  request.timeout_ms = 100;
  Fetched fetched(*client, request);
  REQUIRE(run_until([&] {
    if (slow != nullptr && server.connections() == 1 && !fetched.has_ended()) slow->send("x");
    return fetched.has_ended();
  }));
  CHECK(fetched.summary() == "timed_out");
}

TEST_CASE_FIXTURE(Fixture, "fetch: content at the limit and one byte past it, however it is framed") {
  constexpr std::size_t limit = 50'000;
  std::string response;
  server.on_request = [&](Connection& connection, const std::string&) { connection.send(response); };
  Request request = get();
  request.max_bytes = limit;
  const auto body = [](std::size_t bytes) { return std::string(bytes, 'x'); };
  for (const std::size_t bytes : {limit, limit + 1}) {
    const std::string expected = bytes == limit ? "200 " + body(limit) : "too_large";
    response = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" + body(bytes);
    CHECK(fetch(request) == expected);
    response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(bytes, 1);
    CHECK(fetch(request) == expected);
  }
  CHECK(message() == "the response has more than 50000 bytes");
  CHECK(ended(Outcome::too_large) == 2);
  request.max_bytes = 0;
  response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  CHECK(fetch(request) == "200 ");
  response = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
  CHECK(fetch(request) == "too_large");
}

TEST_CASE_FIXTURE(Fixture, "fetch: an endless response ends at the limit") {
  Connection* endless = nullptr;
  server.on_request = [&](Connection& connection, const std::string&) {
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    endless = &connection;
  };
  Fetched fetched(*client, get());
  std::size_t sent = 0;
  REQUIRE(run_until([&] {
    if (endless != nullptr && server.connections() == 1 && !fetched.has_ended()) {
      endless->send("3e8\r\n" + std::string(1'000, 'x') + "\r\n");
      sent += 1'000;
    }
    return fetched.has_ended();
  }));
  CHECK(fetched.summary() == "too_large");
  CHECK(sent >= Request{}.max_bytes);
}

TEST_CASE_FIXTURE(Fixture, "fetch: the header has a limit, with its 1xx responses and trailers") {
  ClientOptions options;
  options.response_header_bytes = 1'000;
  set_up(options);
  std::string response;
  server.on_request = [&](Connection& connection, const std::string&) { connection.send(response); };
  const std::string begin = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Fill: ";
  const std::string fill(1'000 - begin.size() - 4, 'x');
  response = begin + fill + "\r\n\r\nok";
  CHECK(fetch(get()) == "200 ok");
  response = begin + fill + "x\r\n\r\nok";
  CHECK(fetch(get()) == "too_large");
  CHECK(message() == "the response's header has more than 1000 bytes");
  response.clear();
  for (int i = 0; i < 100; ++i)
    response += "HTTP/1.1 103 Early Hints\r\n\r\n";
  CHECK(fetch(get()) == "too_large");
  response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Fill: " +
             std::string(1'000, 'x') + "\r\n\r\n";
  CHECK(fetch(get()) == "too_large");
}

TEST_CASE_FIXTURE(Fixture, "fetch: the 17th transfer waits for one of sixteen, in order") {
  std::vector<Connection*> asked;
  server.on_request = [&](Connection& connection, const std::string&) { asked.push_back(&connection); };
  std::vector<std::unique_ptr<Fetched>> fetched;
  for (int i = 0; i < 18; ++i)
    fetched.push_back(std::make_unique<Fetched>(*client, get("/" + std::to_string(i))));
  REQUIRE(run_until([&] { return asked.size() == 16; }));
  run_idle_turns();
  CHECK(asked.size() == 16);
  CHECK(client->stats().running == 16);
  CHECK(client->stats().waiting == 2);
  asked[0]->respond(200, "", "ok");
  REQUIRE(run_until([&] { return asked.size() == 17; }));
  CHECK(says(server.requests[16], "GET /16 "));
  run_idle_turns();
  CHECK(client->stats().running == 16);
  CHECK(client->stats().waiting == 1);
  fetched[1].reset();
  REQUIRE(run_until([&] { return asked.size() == 18; }));
  CHECK(client->stats().waiting == 0);
  CHECK(client->stats().waiting_bytes == 0);
}

TEST_CASE_FIXTURE(Fixture, "fetch: waiting counts for the timeout, and a place that is not needed is left") {
  ClientOptions options;
  options.transfers = 1;
  set_up(options);
  server.on_request = [](Connection&, const std::string&) {};
  Fetched running(*client, get());
  Request request = get();
  request.timeout_ms = 40;
  CHECK(fetch(request) == "timed_out");
  CHECK(says(message(), "40 ms"));
  Fetched waiting(*client, get());
  CHECK(client->stats().waiting == 1);
  waiting.transfer.cancel();
  CHECK(client->stats().waiting == 0);
  CHECK(client->stats().waiting_bytes == 0);
}

TEST_CASE_FIXTURE(Fixture, "fetch: what has waited has less time to run") {
  ClientOptions options;
  options.transfers = 1;
  set_up(options);
  server.on_request = [](Connection&, const std::string&) {};
  Fetched running(*client, get());
  Request request = get();
  request.timeout_ms = 1'500;
  const auto begin_ms = loop.monotonic_ms();
  Fetched waiting(*client, request);
  REQUIRE(run_until([&] { return loop.monotonic_ms() - begin_ms >= 1'000; }));
  running.transfer.cancel();
  CHECK(client->stats().running == 1);
  REQUIRE(run_until([&] { return waiting.has_ended(); }));
  CHECK(waiting.summary() == "timed_out");
  CHECK(loop.monotonic_ms() - begin_ms < 2'400);  // and not 2,500
}

TEST_CASE_FIXTURE(Fixture, "fetch: the queue has a limit in requests and in bytes") {
  ClientOptions options;
  options.transfers = 1;
  options.waiting = 2;
  set_up(options);
  server.on_request = [](Connection&, const std::string&) {};
  Fetched running(*client, get());
  {
    Fetched first(*client, get());
    Fetched second(*client, get());
    CHECK(fetch(get()) == "overloaded");
    CHECK((first.transfer.is_active() && second.transfer.is_active()));
  }
  Request large = get();
  large.method = Request::Method::post;
  large.body.assign(options.waiting_bytes - held_bytes(large), 'x');
  {
    const Fetched at_the_limit(*client, large);
    CHECK(at_the_limit.transfer.is_active());
    CHECK(client->stats().waiting_bytes == options.waiting_bytes);
    CHECK(fetch(get()) == "overloaded");
  }
  large.body += 'x';
  CHECK(fetch(large) == "overloaded");
}

TEST_CASE_FIXTURE(Fixture, "fetch: few connections stay open after use") {
  std::vector<Connection*> asked;
  server.on_request = [&](Connection& connection, const std::string&) { asked.push_back(&connection); };
  std::vector<std::unique_ptr<Fetched>> fetched;
  for (int i = 0; i < 16; ++i)
    fetched.push_back(std::make_unique<Fetched>(*client, get()));
  REQUIRE(run_until([&] { return asked.size() == 16; }));
  for (Connection* connection : asked)
    connection->respond(200, "", "ok");
  REQUIRE(run_until([&] { return ended(Outcome::ok) == 16; }));
  REQUIRE(run_until([&] { return server.connections() <= 4; }));
  run_idle_turns();
  CHECK(server.connections() == 4);
  client.reset();
  REQUIRE(run_until([&] { return server.connections() == 0; }));
}

}  // namespace roomcast::fetch::limits_test
