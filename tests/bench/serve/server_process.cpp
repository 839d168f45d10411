#include "serve/server_process.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace roomcast::bench {

namespace {

constexpr std::chrono::seconds patience{10};
constexpr int look_every_ms = 2;

/// Fills in port and tls from the first URL of `text`; false when there is none that is certain to be whole.
bool find_url(std::string_view text, Target& target) {
  constexpr std::string_view address = "://127.0.0.1:";
  const std::size_t at = text.find(address);
  if (at == std::string_view::npos) return false;
  const char* const end = text.data() + text.size();
  std::uint16_t port = 0;
  const auto [behind, error] = std::from_chars(text.data() + at + address.size(), end, port);
  if (error != std::errc{} || behind == end) return false;
  target.port = port;
  target.tls = text.substr(0, at).ends_with("https");
  return true;
}

bool accepts(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool accepted = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return accepted;
}

void wait_until(const std::function<bool()>& ready, ChildProcess& process, const std::string& name) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const bool ended = process.has_ended();  // asked first: what it printed last is looked at below
    if (ready()) return;
    if (ended) throw std::runtime_error(name + " has ended: " + process.output());
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error(name + " was not ready after 10 s: " + process.output());
    poll(nullptr, 0, look_every_ms);
  }
}

}  // namespace

ServerProcess::ServerProcess(const std::vector<std::string>& command, int cpu)
    : ServerProcess(Launch{command, cpu, 0, false, ChildProcess::Output::kept, nullptr}) {}

ServerProcess::ServerProcess(Launch launch)
    : directory_(std::move(launch.directory)), process_(launch.command, launch.cpu, launch.output) {
  target_.pid = process_.pid();
  target_.port = launch.port;
  target_.tls = launch.tls;
  const auto ready = [&] {
    return launch.port != 0 ? accepts(launch.port) : find_url(process_.output(), target_);
  };
  wait_until(ready, process_, launch.command.front());
}

}  // namespace roomcast::bench
