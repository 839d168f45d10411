// Servers that fail in the middle, or do not speak HTTP.
#include <doctest/doctest.h>

#include <string>

#include "unit/fetch/fetch_fixture.h"

namespace roomcast::fetch::broken_server_test {

using Connection = test::OriginServer::Connection;
using Fixture = test::FetchFixture;

TEST_CASE_FIXTURE(Fixture, "fetch: chunked content, with extensions and trailers, in pieces") {
  server.on_request = [](Connection& connection, const std::string&) {
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhel");
    connection.send("lo\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n");
  };
  CHECK(fetch(get()) == "200 hello world");
  CHECK(fetch(get()) == "200 hello world");
  CHECK(server.accepted == 1);
}

TEST_CASE_FIXTURE(Fixture, "fetch: content that ends with the connection") {
  Connection* asked = nullptr;
  server.on_request = [&](Connection& connection, const std::string&) {
    connection.send("HTTP/1.0 200 OK\r\n\r\nold");
    asked = &connection;
  };
  test::Fetched fetched(*client, get());
  REQUIRE(run_until([&] { return asked != nullptr; }));
  run_idle_turns();
  asked->close();
  REQUIRE(run_until([&] { return fetched.has_ended(); }));
  CHECK(fetched.summary() == "200 old");
}

TEST_CASE_FIXTURE(Fixture, "fetch: a connection that is reset or closed before the end is no response") {
  std::string part;
  bool resets = false;
  server.on_request = [&](Connection& connection, const std::string&) {
    connection.send(part);
    if (resets) {
      connection.reset();
    } else {
      connection.close();
    }
  };
  for (const bool by_reset : {true, false}) {
    resets = by_reset;
    for (const char* begin :
         {"", "HTTP/1.1 200 OK\r\nConte", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
      part = begin;
      CHECK(fetch(get()) == "broken");
      CHECK_FALSE(message().empty());
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "fetch: what is not HTTP is no response") {
  std::string answer;
  server.on_request = [&](Connection& connection, const std::string&) {
    connection.send(answer);
    connection.close();
  };
  for (const char* text :
       {"SSH-2.0-OpenSSH_9.2\r\n", "220 smtp.example ESMTP\r\n", "\r\n\r\n\r\n", "HTTP/1.1 OK\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    answer = text;
    CHECK(fetch(get()) == "broken");
  }
}

}  // namespace roomcast::fetch::broken_server_test
