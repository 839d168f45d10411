#include "serve/server_process.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace roomcast::bench {

namespace {

std::vector<std::string> shell(const std::string& script) { return {"sh", "-c", script}; }

bool exists(pid_t pid) { return kill(pid, 0) == 0 || errno != ESRCH; }

}  // namespace

TEST_CASE("a server is ready with the first URL it prints on standard error") {
  const ServerProcess plain(shell("echo hello >&2; echo ready http://127.0.0.1:4711 >&2; sleep 60"), -1);
  CHECK(plain.target().port == 4711);
  CHECK_FALSE(plain.target().tls);
  CHECK(plain.target().host == "127.0.0.1");
  const ServerProcess tls(shell("echo ready https://127.0.0.1:65535, at last >&2; sleep 60"), -1);
  CHECK(tls.target().port == 65535);
  CHECK(tls.target().tls);
}

TEST_CASE("a URL is not taken before it is whole") {
  const ServerProcess server(
      shell("printf http://127.0.0.1:47 >&2; sleep 0.05; printf '11\\n' >&2; sleep 60"), -1);
  CHECK(server.target().port == 4711);
}

TEST_CASE("a server that ends instead is told of with what it printed") {
  CHECK_THROWS_WITH_AS(ServerProcess(shell("echo no such luck >&2; exit 1"), -1),
                       "sh has ended: no such luck\n", std::runtime_error);
  CHECK_THROWS_AS(ServerProcess({"/nowhere/server"}, -1), std::runtime_error);
}

TEST_CASE("a server ends with its owner, and so does what it started itself") {
  std::optional<ServerProcess> server;
  server.emplace(shell("sleep 60 & echo http://127.0.0.1:$! >&2; wait"), -1);
  const pid_t pid = server->target().pid;
  const pid_t below = server->target().port;
  CHECK(exists(pid));
  CHECK(exists(below));
  server.reset();
  CHECK_FALSE(exists(pid));
}

TEST_CASE("a server that logs much does not wait for a reader") {
  ChildProcess server(shell("head -c 1000000 /dev/zero >&2"), -1);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!server.has_ended() && std::chrono::steady_clock::now() < deadline) {
  }
  CHECK(server.has_ended());
  CHECK(server.output() == std::string(ChildProcess::max_output_bytes, '\0'));
}

}  // namespace roomcast::bench
