#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <system_error>

#include "serve/certificate.h"
#include "serve/free_port.h"
#include "serve/kernel_limits.h"
#include "serve/launches.h"

namespace roomcast::bench {

namespace {

namespace fs = std::filesystem;

constexpr const char* module_path = "/usr/lib/nginx/modules/ngx_nchan_module.so";

/// nginx allocates so many beforehand.
std::size_t worker_connections() {
  constexpr std::size_t most = 65'536;
  return std::min(descriptor_limit(), most);
}

/// One process does everything. An echo is a channel of the connection's own: nchan has no shorter way.
std::string configuration(const ScratchDirectory& directory, std::uint16_t port, const ServerNeeds& needs) {
  std::string text = std::string("load_module ") + module_path + ";\n";
  text += "daemon off; master_process off; worker_processes 1; error_log stderr warn;\n";
  text += "pid " + directory.file("pid") + ";\n";
  text += "events { worker_connections " + std::to_string(worker_connections()) + "; }\n";
  text += "http {\n  access_log off;\n";
  for (const std::string kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
    text += "  " + kind + "_temp_path " + directory.file(kind) + ";\n";
  text += "  server {\n    listen 127.0.0.1:" + std::to_string(port) + (needs.tls ? " ssl" : "");
  text += " backlog=4096;\n";
  if (needs.tls) {
    text += "    ssl_certificate " + directory.file("tls.crt") + ";\n    ssl_certificate_key " +
            directory.file("tls.key") + ";\n    ssl_protocols TLSv1.2 TLSv1.3;\n";
  }
  const std::string pubsub = std::string("nchan_pubsub websocket; nchan_subscriber_first_message newest; ") +
                             "nchan_message_buffer_length 100; nchan_deflate_message_for_websocket " +
                             (needs.deflate ? "on" : "off") + "; ";
  text += "    location ~ ^/rooms/(.+)$ { " + pubsub + "nchan_channel_id $1; }\n";
  text += "    location = /echo { " + pubsub + "nchan_channel_id echo-$connection; }\n";
  return text + "  }\n}\n";
}

}  // namespace

fs::path nginx_with_nchan() {
  std::error_code ignored;
  return fs::exists(module_path, ignored) ? find_program("nginx") : fs::path();
}

std::optional<ServerProcess::Launch> launch_nchan(const ServerNeeds& needs) {
  const fs::path nginx = nginx_with_nchan();
  if (nginx.empty()) return std::nullopt;
  ServerProcess::Launch launch;
  launch.directory = std::make_unique<ScratchDirectory>();
  launch.port = free_port();
  launch.tls = needs.tls;
  const ScratchDirectory& directory = *launch.directory;
  if (needs.tls) Certificate().write(directory.file("tls.crt"), directory.file("tls.key"));
  launch.command = {nginx, "-c", directory.write("nginx.conf", configuration(directory, launch.port, needs))};
  return launch;
}

}  // namespace roomcast::bench
