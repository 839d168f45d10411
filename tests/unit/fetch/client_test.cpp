#include "fetch/client.h"

#include <doctest/doctest.h>
#include <uv.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "unit/fetch/fetch_fixture.h"

namespace roomcast::fetch::client_test {

using Connection = test::OriginServer::Connection;
using Fixture = test::FetchFixture;
using test::Fetched;
using namespace std::string_literals;

namespace {

bool says(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

int active_timers(const loop::Loop& loop) {
  int count = 0;
  uv_walk(
      loop.native(),
      [](uv_handle_t* handle, void* counter) {
        if (handle->type == UV_TIMER && uv_is_active(handle) != 0) ++*static_cast<int*>(counter);
      },
      &count);
  return count;
}

/// A port of this machine on which nothing listens.
std::string url_of_nothing() {
  auto socket = net::ListeningSocket::bind(test::parse_address("127.0.0.1:0"), 0600);
  return "http://127.0.0.1:" + std::to_string(socket->address().port) + "/";
}

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "fetch: a response with its type, freshness and content; the connection is reused") {
  server.on_request = [](Connection& connection, const std::string&) {
    connection.respond(200,
                       "Content-Type: application/json\r\nCache-Control: public\r\ncache-control: "
                       "max-age=600\r\nAge: 60\r\n",
                       "{}");
  };
  for (int i = 0; i < 3; ++i) {
    REQUIRE(fetch(get("/keys?x=1")) == "200 {}");
    CHECK((*last)->content_type == "application/json");
    CHECK((*last)->max_age_s == 540);
  }
  CHECK(server.accepted == 1);
  CHECK(ended(Outcome::ok) == 3);
  CHECK(client->stats().running == 0);
  const std::string& request = server.requests.back();
  CHECK(says(request, "GET /keys?x=1 HTTP/1.1\r\n"));
  CHECK(says(request, "User-Agent: roomcast\r\n"));
  CHECK_FALSE(says(request, "Cookie"));
}

TEST_CASE_FIXTURE(Fixture, "fetch: any status but a redirect is an answer") {
  int status = 404;
  server.on_request = [&](Connection& connection, const std::string&) {
    connection.respond(status, "", "no");
  };
  CHECK(fetch(get()) == "404 no");
  CHECK_FALSE((*last)->max_age_s.has_value());
  status = 503;
  CHECK(fetch(get()) == "503 no");
  CHECK(ended(Outcome::error_status) == 2);
  CHECK(ended(Outcome::ok) == 0);
}

TEST_CASE_FIXTURE(Fixture, "fetch: a redirect is not followed, and named without its secrets") {
  server.on_request = [&](Connection& connection, const std::string&) {
    connection.respond(302, "Location: /elsewhere?token=secret\r\n", "");
  };
  CHECK(fetch(get("/begin")) == "redirected");
  CHECK(says(message(), "302"));
  CHECK(says(message(), server.url("/elsewhere")));
  CHECK_FALSE(says(message(), "secret"));
  CHECK(server.requests.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "fetch: a POST sends its body and fields as they are") {
  server.on_request = [](Connection& connection, const std::string&) { connection.respond(204, "", ""); };
  Request request = get("/hook");
  request.method = Request::Method::post;
  request.body = "a\0b"s;
  request.headers = {{"X-One", "1"}, {"X-Empty", ""}};
  CHECK(fetch(request) == "204 ");
  CHECK(says(server.requests[0], "POST /hook HTTP/1.1\r\n"));
  CHECK(says(server.requests[0], "X-One: 1\r\n"));
  CHECK(says(server.requests[0], "X-Empty:\r\n"));
  CHECK_FALSE(says(server.requests[0], "Content-Type"));
  CHECK(server.requests[0].ends_with("\r\n\r\na\0b"s));
  request.headers = {{"content-type", "application/json"}};
  request.body = std::string(2'000'000, 'x');
  CHECK(fetch(request) == "204 ");
  CHECK(says(server.requests[1], "content-type: application/json\r\n"));
  CHECK_FALSE(says(server.requests[1], "Expect"));
  request.body.clear();
  CHECK(fetch(request) == "204 ");
  CHECK(says(server.requests[2], "Content-Length: 0\r\n"));
}

TEST_CASE_FIXTURE(Fixture, "fetch: user information in the URL is sent as basic authentication") {
  server.on_request = [](Connection& connection, const std::string&) { connection.respond(200, "", ""); };
  Request request;
  request.url = "http://ada:open@127.0.0.1:" + std::to_string(server.port()) + "/";
  CHECK(fetch(request) == "200 ");
  CHECK(says(server.requests[0], "Authorization: Basic YWRhOm9wZW4=\r\n"));
}

TEST_CASE_FIXTURE(Fixture, "fetch: a proxy of the environment is used, but for the hosts of no_proxy") {
  server.on_request = [](Connection& connection, const std::string&) {
    connection.respond(200, "", "by proxy");
  };
  ::setenv("http_proxy", server.url("").c_str(), 1);
  ::setenv("no_proxy", "localhost", 1);
  Request request;
  request.url = "http://roomcast-test.invalid/keys";
  CHECK(fetch(request) == "200 by proxy");
  CHECK(says(server.requests[0], "GET http://roomcast-test.invalid/keys HTTP/1.1\r\n"));
  request.url = "http://localhost:" + std::to_string(server.port()) + "/";
  CHECK(fetch(request) == "200 by proxy");
  CHECK(says(server.requests[1], "GET / HTTP/1.1\r\n"));
  ::unsetenv("http_proxy");
  ::unsetenv("no_proxy");
}

TEST_CASE_FIXTURE(Fixture, "fetch: what is not a web URL or not a field is refused and not sent") {
  const auto refused = [&](Request request) {
    CHECK(fetch(std::move(request)) == "bad_request");
    return message();
  };
  for (const char* url : {"", "example.org", "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/",
                          "http://", "http://a b/", "http://127.0.0.1:99999/", "http:/127.0.0.1/\r\nX: y"}) {
    Request request;
    request.url = url;
    CHECK_FALSE(says(refused(request), "passwd"));
  }
  Request request = get("/" + std::string(8'192 - server.url().size(), 'x'));
  server.on_request = [](Connection& connection, const std::string&) { connection.respond(200, "", "ok"); };
  CHECK(fetch(request) == "200 ok");
  request.url += 'x';
  CHECK(says(refused(request), "8192 bytes"));
  request = get();
  request.headers = {{"X-A", "1\r\nX-B: 2"}};
  CHECK(says(refused(request), "X-A"));
  request.headers = {{"X A", "1"}};
  (void)refused(request);
  request.headers = {{"", "1"}};
  (void)refused(request);
  CHECK(server.requests.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "fetch: nothing listens, and no such host") {
  Request request;
  request.url = url_of_nothing();
  CHECK(fetch(request) == "unreachable");
  request.url = "http://roomcast-test.invalid/";
  CHECK(fetch(request) == "unresolved");
  CHECK(says(message(), "roomcast-test.invalid"));
}

TEST_CASE_FIXTURE(Fixture, "fetch: a transfer can be started again from its own call, and destroyed there") {
  server.on_request = [](Connection& connection, const std::string&) { connection.respond(200, "", "ok"); };
  auto again = std::make_unique<Fetched>(*client, get());
  again->then = [&] {
    if (again->calls < 3) return again->transfer.start(get());
    again.reset();
  };
  REQUIRE(run_until([&] { return !again; }));
  CHECK(server.requests.size() == 3);
  CHECK(client->stats().running == 0);
}

TEST_CASE_FIXTURE(Fixture, "fetch: a cancelled request is aborted, and its listener not called") {
  server.on_request = [](Connection&, const std::string&) {};
  auto dropped = std::make_unique<Fetched>(*client, get());
  Fetched cancelled(*client, get());
  REQUIRE(run_until([&] { return server.requests.size() == 2; }));
  dropped.reset();
  cancelled.transfer.cancel();
  CHECK_FALSE(cancelled.transfer.is_active());
  REQUIRE(run_until([&] { return server.connections() == 0; }));
  CHECK(cancelled.calls == 0);
  CHECK(client->stats().running == 0);
  CHECK(ended(Outcome::cancelled) == 2);
}

TEST_CASE_FIXTURE(Fixture, "fetch: a result that was not delivered is dropped by cancelling") {
  server.on_request = [](Connection& connection, const std::string&) { connection.respond(200, "", "ok"); };
  Request refused;
  Fetched first(*client, refused);
  Fetched second(*client, refused);
  CHECK(first.transfer.is_active());
  first.then = [&] { second.transfer.cancel(); };
  REQUIRE(run_until([&] { return first.has_ended(); }));
  run_idle_turns();
  CHECK(second.calls == 0);
}

TEST_CASE_FIXTURE(Fixture, "fetch: a client that is destroyed aborts all that runs, waits and has ended") {
  server.on_request = [](Connection&, const std::string&) {};
  ClientOptions options;
  options.transfers = 2;
  set_up(options);
  std::vector<std::unique_ptr<Fetched>> fetched;
  for (int i = 0; i < 5; ++i)
    fetched.push_back(std::make_unique<Fetched>(*client, get()));
  REQUIRE(run_until([&] { return server.requests.size() == 2; }));
  fetched.push_back(std::make_unique<Fetched>(*client, Request{}));
  client.reset();
  REQUIRE(run_until([&] { return server.connections() == 0; }));
  for (auto& each : fetched) {
    CHECK(each->calls == 0);
    CHECK_FALSE(each->transfer.is_active());
    each->transfer.start(get());
    each->transfer.cancel();
  }
}

TEST_CASE_FIXTURE(Fixture, "fetch: a client may be destroyed from within a listener") {
  Fetched one(*client, Request{});
  Fetched other(*client, Request{});
  one.then = [&] { client.reset(); };
  REQUIRE(run_until([&] { return one.has_ended(); }));
  run_idle_turns();
  CHECK(other.calls == 0);
}

TEST_CASE_FIXTURE(Fixture, "fetch: the listener is not called within start") {
  Fetched fetched(*client, Request{});
  CHECK(fetched.calls == 0);
  CHECK(fetched.transfer.is_active());
  REQUIRE(run_until([&] { return fetched.has_ended(); }));
  CHECK_FALSE(fetched.transfer.is_active());
}

TEST_CASE_FIXTURE(Fixture, "fetch: several that end in one turn are reported one after the other") {
  Fetched first(*client, Request{});
  Fetched second(*client, Request{});
  Fetched third(*client, Request{});
  REQUIRE(run_until([&] { return first.has_ended() && second.has_ended() && third.has_ended(); }));
  CHECK(ended(Outcome::bad_request) == 3);
}

TEST_CASE_FIXTURE(Fixture, "fetch: between requests no timer runs and no socket is watched") {
  server.on_request = [](Connection& connection, const std::string&) { connection.respond(200, "", "ok"); };
  const std::size_t handles = loop.handle_count();
  const int timers = active_timers(loop);
  REQUIRE(fetch(get()) == "200 ok");
  run_idle_turns();
  CHECK(loop.handle_count() == handles + 1);
  CHECK(active_timers(loop) == timers);
  // The server closes the idle connection: the client notices with its next request.
  server.connection(0).close();
  run_idle_turns();
  REQUIRE(fetch(get()) == "200 ok");
  CHECK(active_timers(loop) == timers);
  CHECK(server.accepted == 2);
}

}  // namespace roomcast::fetch::client_test
