#include "fanout.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace roomcast::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view handshake =
    "GET /rooms/bench HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Reads until the empty line of the 101; what little may follow belongs to no message yet.
void upgrade(int fd) {
  if (send(fd, handshake.data(), handshake.size(), 0) < 0) throw std::runtime_error("send failed");
  std::string answer;
  std::array<char, 1024> buffer{};
  while (answer.find("\r\n\r\n") == std::string::npos) {
    const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
    if (size <= 0) throw std::runtime_error("handshake refused: " + answer);
    answer.append(buffer.data(), static_cast<std::size_t>(size));
  }
  if (answer.compare(0, 12, "HTTP/1.1 101") != 0) throw std::runtime_error("handshake refused: " + answer);
}

std::vector<int> connect_all(std::uint16_t port, std::size_t count) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  std::vector<int> fds;
  for (std::size_t i = 0; i < count; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect; is the descriptor limit too low?");
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    upgrade(fd);
    fds.push_back(fd);
  }
  return fds;
}

/// A masked text frame (the mask is zero) of up to 64 KiB.
std::string client_frame(std::size_t payload_bytes) {
  std::string frame = "\x81";
  if (payload_bytes < 126) {
    frame += static_cast<char>(0x80U | payload_bytes);
  } else {
    frame += static_cast<char>(0x80U | 126U);
    frame += static_cast<char>(payload_bytes >> 8U);
    frame += static_cast<char>(payload_bytes & 0xFFU);
  }
  frame.append(4, '\0');
  frame.append(payload_bytes, 'x');
  return frame;
}

}  // namespace

FanoutResult run_fanout(const ServerProcess& server, const FanoutSettings& settings) {
  const std::vector<int> fds = connect_all(server.port(), settings.subscribers);
  const int poll = epoll_create1(0);
  for (const int fd : fds) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  }

  const std::string frame = client_frame(settings.message_bytes);
  const std::size_t wire_bytes = frame.size() - 4;  // the server's frame has no mask
  const std::size_t expected_bytes = wire_bytes * settings.messages * settings.subscribers;
  const std::int64_t cpu_before = server.cpu_ns();
  std::size_t received = 0;
  std::size_t sent = 0;
  Clock::time_point next = Clock::now();
  const auto give_up =
      next + std::chrono::microseconds(settings.interval_us * static_cast<std::int64_t>(settings.messages)) +
      std::chrono::seconds(10);
  std::array<epoll_event, 512> events{};
  std::array<char, 65536> buffer{};
  while (received < expected_bytes && Clock::now() < give_up) {
    // Only when the one before has arrived everywhere: on a busy machine messages would pile up and be
    // joined, and the cost of one delivery would no longer be what is measured.
    const bool arrived = received == sent * wire_bytes * settings.subscribers;
    if (arrived && sent < settings.messages && Clock::now() >= next) {
      if (send(fds.front(), frame.data(), frame.size(), 0) < 0) throw std::runtime_error("publish failed");
      ++sent;
      next += std::chrono::microseconds(settings.interval_us);
    }
    const int ready = epoll_wait(poll, events.data(), static_cast<int>(events.size()), 1);
    for (int i = 0; i < ready; ++i) {
      const ssize_t size = recv(events[static_cast<std::size_t>(i)].data.fd, buffer.data(), buffer.size(), 0);
      if (size > 0) received += static_cast<std::size_t>(size);
    }
  }
  FanoutResult result;
  result.deliveries = received / wire_bytes;
  result.expected = settings.messages * settings.subscribers;
  result.cpu_ns = server.cpu_ns() - cpu_before;
  for (const int fd : fds)
    close(fd);
  close(poll);
  return result;
}

}  // namespace roomcast::bench
