#include "floor_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace roomcast::bench {

namespace {

constexpr std::string_view switching_protocols =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: none\r\n\r\n";

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Connection {
  int fd = -1;
  bool upgraded = false;
  std::string input;
};

class FloorServer {
 public:
  FloorServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), poll_(epoll_create1(0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, size) != 0 || listen(listener_, 4096) != 0) die("floor: listen");
    getsockname(listener_, generic, &size);
    watch(listener_);
    std::fprintf(stderr, "floor ready http://127.0.0.1:%d\n", ntohs(address.sin_port));
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events{};
    for (;;) {
      const int ready = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_) {
          accept_all();
        } else {
          read_from(connections_[static_cast<std::size_t>(fd)]);
        }
      }
    }
  }

 private:
  void watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event) != 0) die("floor: epoll_ctl");
  }

  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (connections_.size() <= static_cast<std::size_t>(fd))
        connections_.resize(static_cast<std::size_t>(fd) + 1);
      connections_[static_cast<std::size_t>(fd)] = {fd, false, {}};
      watch(fd);
    }
  }

  void read_from(Connection& connection) {
    std::array<char, 65536> buffer{};
    const ssize_t size = recv(connection.fd, buffer.data(), buffer.size(), 0);
    if (size <= 0) {
      close(connection.fd);
      connection.fd = -1;
      return;
    }
    connection.input.append(buffer.data(), static_cast<std::size_t>(size));
    if (!connection.upgraded) {
      const std::size_t end = connection.input.find("\r\n\r\n");
      if (end == std::string::npos) return;
      connection.input.erase(0, end + 4);
      connection.upgraded = true;
      send(connection.fd, switching_protocols.data(), switching_protocols.size(), MSG_NOSIGNAL);
    }
    while (spread_frame(connection.input)) {
    }
  }

  /// Takes one masked frame of up to 64 KiB off the front and sends it, unmasked, to everybody.
  bool spread_frame(std::string& input) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(input[i]); };
    if (input.size() < 6) return false;
    std::size_t length = byte(1) & 0x7FU;
    std::size_t head = 2;
    if (length == 126) {
      if (input.size() < 8) return false;
      length = (std::size_t{byte(2)} << 8U) | byte(3);
      head = 4;
    }
    if (input.size() < head + 4 + length) return false;
    frame_.assign(input, 0, head);
    frame_[1] = static_cast<char>(byte(1) & 0x7FU);
    for (std::size_t i = 0; i < length; ++i) {
      frame_ += static_cast<char>(byte(head + 4 + i) ^ byte(head + (i & 3U)));
    }
    input.erase(0, head + 4 + length);
    for (const Connection& to : connections_) {
      if (to.fd >= 0 && to.upgraded) send(to.fd, frame_.data(), frame_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    return true;
  }

  int listener_;
  int poll_;
  std::vector<Connection> connections_;
  std::string frame_;
};

}  // namespace

void run_floor_server() {
  FloorServer server;
  server.run();
}

}  // namespace roomcast::bench
