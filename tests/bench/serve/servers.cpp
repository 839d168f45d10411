#include "serve/servers.h"

#include <openssl/crypto.h>
#include <poll.h>
#include <sys/utsname.h>

#include <chrono>
#include <utility>

#include "serve/child_process.h"
#include "serve/launches.h"

namespace roomcast::bench {

namespace {

std::optional<ServerProcess::Launch> launch(Server server, const ServerNeeds& needs,
                                            const std::string& roomcast) {
  switch (server) {
    case Server::roomcast:
      return launch_roomcast(needs, roomcast.empty() ? roomcast_binary() : std::filesystem::path(roomcast));
    case Server::floor:
      return launch_floor(needs, false);
    case Server::floor_join:
      return launch_floor(needs, true);
    case Server::nchan:
      return launch_nchan(needs);
    case Server::ws:
      return launch_ws(needs);
  }
  return std::nullopt;
}

/// The first line that a program prints within 5 s.
std::string first_line_of(const std::vector<std::string>& command) {
  constexpr std::chrono::seconds patience{5};
  ChildProcess program(command, -1);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!program.has_ended() && std::chrono::steady_clock::now() < deadline)
    poll(nullptr, 0, 1);
  const std::string output = program.output();
  return output.substr(0, output.find('\n'));
}

std::string version_of_floor() {
  utsname system{};
  uname(&system);
  return std::string(system.sysname) + " " + system.release + ", OpenSSL " +
         OpenSSL_version(OPENSSL_VERSION_STRING);
}

std::string version_of_nchan() {
  const std::string nginx = first_line_of({nginx_with_nchan(), "-v"});
  const std::string nchan =
      first_line_of({"dpkg-query", "-W", "-f=${Package} ${Version}\\n", "libnginx-mod-nchan"});
  return nginx + ", " + nchan;
}

std::string version_of_ws() {
  const std::string package =
      (ws_script().parent_path() / "../../node_modules/ws/package.json").lexically_normal();
  return first_line_of(
      {"node", "-p", "'ws ' + require('" + package + "').version + ', Node ' + process.version"});
}

}  // namespace

std::string_view name_of(Server server) {
  switch (server) {
    case Server::roomcast:
      return "roomcast";
    case Server::floor:
      return "floor";
    case Server::floor_join:
      return "floor-join";
    case Server::nchan:
      return "nchan";
    case Server::ws:
      return "ws";
  }
  return "";
}

std::string version_of(Server server) {
  switch (server) {
    case Server::roomcast:
      return roomcast_binary().empty() ? "" : first_line_of({roomcast_binary(), "--version"});
    case Server::floor:
    case Server::floor_join:
      return version_of_floor();
    case Server::nchan:
      return nginx_with_nchan().empty() ? "" : version_of_nchan();
    case Server::ws:
      return ws_script().empty() ? "" : version_of_ws();
  }
  return "";
}

std::unique_ptr<ServerProcess> start_server(Server server, const ServerNeeds& needs, int cpu,
                                            const std::string& roomcast) {
  auto launched = launch(server, needs, roomcast);
  if (!launched) return nullptr;
  launched->cpu = cpu;
  return std::make_unique<ServerProcess>(std::move(*launched));
}

}  // namespace roomcast::bench
