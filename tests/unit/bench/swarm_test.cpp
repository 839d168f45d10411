#include "attack/swarm.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>

#include "attack/ask.h"
#include "attack/innocents.h"
#include "load/clock.h"
#include "serve/forked_process.h"

namespace swarm_test {

using namespace roomcast::bench;

namespace {

constexpr std::int64_t ms = 1'000'000;

/// Serves one connection after the other with `serve`, in a process of its own, and closes it then.
class OneByOne {
 public:
  explicit OneByOne(std::function<void(int socket)> serve)
      : process_([serve = std::move(serve)](int channel) {
          const int listening = socket(AF_INET, SOCK_STREAM, 0);
          sockaddr_in address{};
          address.sin_family = AF_INET;
          address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
          socklen_t size = sizeof address;
          auto* const generic = reinterpret_cast<sockaddr*>(&address);
          bind(listening, generic, size);
          listen(listening, 64);
          getsockname(listening, generic, &size);
          const std::uint16_t port = ntohs(address.sin_port);
          send(channel, &port, sizeof port, 0);
          for (;;) {
            const int accepted = accept(listening, nullptr, nullptr);
            serve(accepted);
            close(accepted);
          }
        }) {
    REQUIRE(recv(process_.channel(), &target.port, sizeof target.port, 0) == sizeof target.port);
  }

  Target target;

 private:
  ForkedProcess process_;
};

void say(int socket, std::string_view text) { send(socket, text.data(), text.size(), MSG_NOSIGNAL); }

/// One read, which is all that a short request takes.
std::string hear(int socket) {
  std::array<char, 4096> room{};
  const ssize_t size = recv(socket, room.data(), room.size(), 0);
  return {room.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

/// Until the other side ends.
std::string hear_all(int socket) {
  std::string all;
  for (std::string some = hear(socket); !some.empty(); some = hear(socket))
    all += some;
  return all;
}

}  // namespace

TEST_CASE("who is cut comes back, and refusals are counted") {
  const OneByOne server([](int socket) {
    hear(socket);
    say(socket, "HTTP/1.1 503 Service Unavailable\r\n\r\n");
  });
  SwarmPlan plan;
  plan.connections = 2;
  plan.opening = "GET / HTTP/1.1\r\n\r\n";
  Swarm swarm(server.target, plan);
  swarm.run_for(500 * ms);
  CHECK(swarm.tally().opened > 2);
  CHECK(swarm.tally().cut > 0);
  CHECK(swarm.tally().refused == swarm.tally().answers);
  CHECK(swarm.tally().refused > 0);
}

TEST_CASE("a status line that comes in pieces is one answer") {
  const OneByOne server([](int socket) {
    for (const char byte : std::string_view("HTTP/1.1 200 OK\r\n\r\nHHTTP/1.1 404 Not Found\r\n\r\n"))
      say(socket, {&byte, 1});
    hear_all(socket);
  });
  Swarm swarm(server.target, {});
  swarm.run_for(300 * ms);
  CHECK(swarm.tally().answers == 2);
  CHECK(swarm.tally().refused == 1);
}

TEST_CASE("a window is what a connection may be owed, and is filled again by answers") {
  const OneByOne server([](int socket) {
    hear(socket);
    say(socket, "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    hear_all(socket);
  });
  SwarmPlan plan;
  plan.window = 3;
  plan.burst = [](std::uint64_t, std::string&) { return std::string_view("x"); };
  Swarm swarm(server.target, plan);
  swarm.run_for(300 * ms);
  CHECK(swarm.tally().sent == 5);
  CHECK(swarm.tally().bytes == 5);
}

TEST_CASE("nothing is sent behind an opening that was not answered with 101") {
  const OneByOne server([](int socket) {
    hear(socket);
    say(socket, "HTTP/1.1 200 OK\r\n\r\n");
    hear_all(socket);
  });
  SwarmPlan plan;
  plan.opening = "upgrade";
  plan.upgrades = true;
  plan.queue = "queued";
  Swarm swarm(server.target, plan);
  swarm.run_for(200 * ms);
  CHECK(swarm.tally().bytes == 7 * swarm.tally().opened);
  CHECK(swarm.tally().cut == swarm.tally().answers);
  CHECK(swarm.tally().cut > 0);
}

TEST_CASE("an answer that is whole is given, one that is not is missing") {
  const OneByOne server([](int socket) {
    const bool whole = hear(socket).starts_with("whole");
    say(socket, whole ? "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"
                      : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx");
  });
  const Answer answer = ask(server.target, "whole");
  CHECK(answer.status == 201);
  CHECK(answer.body == "ok");
  CHECK(ask(server.target, "cut").status == 0);
}

TEST_CASE("an answer without content is whole with its head") {
  const OneByOne server([](int socket) {
    hear(socket);
    say(socket, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    hear_all(socket);  // and so does not end the connection
  });
  CHECK(ask(server.target, "anything").status == 503);
  Poller poller;
  HealthChecks checks(poller, server.target, false);
  checks.act(now_ns());
  REQUIRE(poller.run_until([&] { return !checks.waits(); }, now_ns() + 10'000 * ms));
  CHECK(checks.experience(now_ns()).complaint == "healthz: status 503");
}

TEST_CASE("a server that stood still pays for each check that it kept waiting") {
  const OneByOne server([](int socket) {
    hear(socket);
    usleep(100'000);
    say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    hear_all(socket);
  });
  Poller poller;
  HealthChecks checks(poller, server.target, false);
  checks.act(now_ns());
  REQUIRE(poller.run_until([&] { return !checks.waits(); }, now_ns() + 10'000 * ms));
  const Experience experience = checks.experience(now_ns());
  CHECK(experience.harmed == 0);
  CHECK(experience.latency.count() >= 20);
  CHECK(experience.latency.max_ns() >= 100 * ms);
}

TEST_CASE("a check that is refused, and one that is cut, are harm") {
  for (const char* const answer : {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", ""}) {
    const OneByOne server([answer](int socket) {
      hear(socket);
      say(socket, answer);
    });
    Poller poller;
    HealthChecks checks(poller, server.target, false);
    checks.act(now_ns());
    REQUIRE(poller.run_until([&] { return !checks.waits(); }, now_ns() + 10'000 * ms));
    CHECK(checks.experience(now_ns()).harmed == 1);
    CHECK(checks.experience(now_ns()).latency.count() == 0);
  }
}

}  // namespace swarm_test
