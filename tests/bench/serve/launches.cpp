#include "serve/launches.h"

#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "serve/certificate.h"
#include "serve/free_port.h"

namespace roomcast::bench {

namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// A directory with tls.crt and tls.key.
std::unique_ptr<ScratchDirectory> directory_with_certificate() {
  auto directory = std::make_unique<ScratchDirectory>();
  Certificate().write(directory->file("tls.crt"), directory->file("tls.key"));
  return directory;
}

}  // namespace

fs::path find_program(std::string_view name) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "" : path) + ":/usr/sbin:/usr/local/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path program = fs::path(folder) / name;
    if (is_there(program)) return program;
  }
  return {};
}

fs::path roomcast_binary() {
  std::error_code ignored;
  const fs::path beside = fs::read_symlink("/proc/self/exe", ignored).parent_path() / "roomcast";
  return is_there(beside) ? beside : find_program("roomcast");
}

fs::path ws_script() {
  const fs::path peers = ROOMCAST_BENCH_PEERS;
  std::error_code ignored;
  const bool installed = fs::is_directory(peers / "../../node_modules/ws", ignored);
  const fs::path script = peers / "ws_server.js";
  return installed && is_there(script) && !find_program("node").empty() ? script : fs::path();
}

ServerProcess::Launch launch_with_defaults(const fs::path& binary, bool tls,
                                           const std::vector<std::string>& settings) {
  ServerProcess::Launch launch;
  launch.command = {binary};
  const auto set = [&launch](const std::string& setting) {
    launch.command.emplace_back("--set");
    launch.command.push_back(setting);
  };
  launch.port = free_port();
  launch.tls = tls;
  set((tls ? "listen=https://127.0.0.1:" : "listen=http://127.0.0.1:") + std::to_string(launch.port));
  if (tls) {
    launch.directory = directory_with_certificate();
    set("tls.certificate=" + launch.directory->file("tls.crt"));
    set("tls.key=" + launch.directory->file("tls.key"));
  }
  for (const std::string& setting : settings)
    set(setting);
  return launch;
}

std::optional<ServerProcess::Launch> launch_roomcast(const ServerNeeds& needs, const fs::path& binary) {
  if (binary.empty()) return std::nullopt;
  const std::string far_apart_seconds = "86400";
  const std::string compression = needs.deflate ? "true" : "false";
  // The log stays as it is by default: its line for each connection that ends is part of what that costs.
  return launch_with_defaults(
      binary, needs.tls,
      {"websocket.ping_seconds=" + far_apart_seconds, "http.poll_wait_seconds=" + far_apart_seconds,
       "limits.connections_per_address=10000000",  // all come from this machine
       "websocket.compression=" + compression, "http.compression=" + compression});
}

std::optional<ServerProcess::Launch> launch_floor(const ServerNeeds& needs, bool join) {
  ServerProcess::Launch launch;
  launch.command = {"/proc/self/exe", "floor"};
  if (join) launch.command.emplace_back("--join");
  if (needs.tls) launch.command.emplace_back("--tls");
  if (needs.deflate) launch.command.emplace_back("--deflate");
  return launch;
}

std::optional<ServerProcess::Launch> launch_ws(const ServerNeeds& needs) {
  const fs::path script = ws_script();
  if (script.empty()) return std::nullopt;
  ServerProcess::Launch launch;
  launch.command = {"node", script};
  if (needs.deflate) launch.command.emplace_back("--deflate");
  if (needs.tls) {
    launch.directory = directory_with_certificate();
    launch.command.push_back("--tls=" + launch.directory->path());
  }
  return launch;
}

}  // namespace roomcast::bench
