#include "serve/server_process.h"

#include <doctest/doctest.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "serve/launches.h"

namespace roomcast::bench::server_process_test {

namespace {

std::vector<std::string> shell(const std::string& script) { return {"sh", "-c", script}; }

/// Not when it has ended, whether its parent has taken note or not.
bool runs(pid_t pid) {
  std::ifstream command("/proc/" + std::to_string(pid) + "/cmdline");
  return command.get() != std::ifstream::traits_type::eof();
}

/// Whether it comes true within 10 s.
bool soon(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
  }
  return true;
}

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

TEST_CASE("a program ends with its owner, and so does what it started itself") {
  std::optional<ChildProcess> program;
  program.emplace(shell("sleep 60 & echo $!; wait"), -1);
  const pid_t pid = program->pid();
  REQUIRE(soon([&] { return program->output().ends_with('\n'); }));
  const pid_t below = std::stoi(program->output());
  CHECK(runs(pid));
  CHECK(soon([&] { return runs(below); }));  // not at the moment when it becomes sleep
  program.reset();
  CHECK_FALSE(runs(pid));
  CHECK(soon([&] { return !runs(below); }));
}

TEST_CASE("a server that logs much does not wait for a reader") {
  ChildProcess server(shell("head -c 1000000 /dev/zero >&2"), -1);
  CHECK(soon([&] { return server.has_ended(); }));
  CHECK(server.output() == std::string(ChildProcess::max_output_bytes, '\0'));
}

TEST_CASE("what a program prints can go where nobody reads it") {
  ChildProcess program(shell("echo hello"), -1, ChildProcess::Output::unread);
  CHECK(soon([&] { return program.has_ended(); }));
  CHECK(program.output().empty());
}

TEST_CASE(
    "roomcast with its defaults is told where to listen, its certificate, and the settings, and no more") {
  const ServerProcess::Launch launch = launch_with_defaults("/bin/roomcast", true, {"limits.connections=5"});
  const std::string directory = launch.directory->path();
  CHECK(launch.tls);
  CHECK(launch.command == std::vector<std::string>{"/bin/roomcast", "--set",
                                                   "listen=https://127.0.0.1:" + std::to_string(launch.port),
                                                   "--set", "tls.certificate=" + directory + "/tls.crt",
                                                   "--set", "tls.key=" + directory + "/tls.key", "--set",
                                                   "limits.connections=5"});
  CHECK(launch_with_defaults("/bin/roomcast", false, {}).command.size() == 3);
}

}  // namespace roomcast::bench::server_process_test
