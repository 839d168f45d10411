#include "serve/floor.h"

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
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/child_process.h"
#include "serve/floor_deflate.h"
#include "serve/floor_frames.h"
#include "serve/floor_handshake.h"
#include "serve/floor_link.h"
#include "serve/floor_rooms.h"
#include "serve/floor_tls.h"

namespace roomcast::bench::floor {

namespace {

constexpr std::uint8_t opcode_close = 8;
constexpr std::uint8_t opcode_ping = 9;
constexpr std::uint8_t opcode_pong = 10;
constexpr std::uint8_t first_control_opcode = 8;
constexpr std::size_t max_head_bytes = 16384;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Connection {
  Link link;
  bool upgraded = false;
  bool deflate = false;
  Room* room = nullptr;   ///< null once upgraded: an echo
  std::size_t place = 0;  ///< in its audience
  Leftover leftover;
};

int listen_on_loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // accepted sockets inherit it
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, SOMAXCONN) != 0)
    die("floor: listen");
  return fd;
}

int port_of(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

class Floor {
 public:
  explicit Floor(const FloorSettings& settings)
      : settings_(settings), listener_(listen_on_loopback()), poll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (settings.tls) tls_.emplace();
    watch(listener_);
  }

  [[noreturn]] void run() {
    std::fprintf(stderr, "floor ready %s://127.0.0.1:%d\n", settings_.tls ? "https" : "http",
                 port_of(listener_));
    std::array<epoll_event, 1024> events{};
    for (;;) {
      const int ready = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i)
        on_ready(events[static_cast<std::size_t>(i)].data.fd);
      for (Room* room : joined_)
        room->send_out();
      joined_.clear();
    }
  }

 private:
  void on_ready(int fd) {
    if (fd == listener_) return accept_all();
    Connection& connection = connections_[static_cast<std::size_t>(fd)];
    do {
      const std::ptrdiff_t size = receive(connection.link, input_);
      if (size == 0) return;
      if (size < 0 || !on_bytes(connection, std::span(input_).first(static_cast<std::size_t>(size))))
        return end(connection);
    } while (has_read_ahead(connection.link));
  }

  void watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event) != 0) die("floor: epoll_ctl");
  }

  void accept_all() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      if (connections_.size() <= static_cast<std::size_t>(fd))
        connections_.resize(static_cast<std::size_t>(fd) + 1);
      connections_[static_cast<std::size_t>(fd)].link = {fd, tls_ ? tls_->begin(fd) : nullptr};
      watch(fd);
    }
  }

  /// False when the connection is to be closed.
  bool on_bytes(Connection& connection, std::span<char> fresh) {
    std::span<char> bytes = connection.leftover.with(fresh);
    if (!connection.upgraded) {
      const std::size_t head = head_bytes({bytes.data(), bytes.size()});
      if (head == 0 && bytes.size() > max_head_bytes) return false;
      if (head > 0) {
        if (!upgrade(connection, {bytes.data(), head})) return false;
        bytes = bytes.subspan(head);
      }
    }
    if (connection.upgraded && !take_frames(connection, bytes)) return false;
    connection.leftover.keep(bytes);
    return true;
  }

  bool upgrade(Connection& connection, std::string_view head) {
    constexpr std::string_view rooms = "/rooms/";
    const FloorRequest request = read_head(head);
    const bool is_room = request.path.starts_with(rooms);
    if (request.key.empty() || (!is_room && request.path != "/echo")) {
      send_all(connection.link, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      return false;
    }
    connection.upgraded = true;
    connection.deflate = settings_.deflate && offers_deflate(request.extensions);
    send_all(connection.link, handshake_.switching_protocols(request.key, connection.deflate));
    if (is_room) {
      connection.room = &rooms_[std::string(request.path.substr(rooms.size()))];
      connection.place = audience_of(connection).join(connection.link);
    }
    return true;
  }

  bool take_frames(Connection& connection, std::span<char>& bytes) {
    ClientFrame frame;
    for (;;) {
      const FrameTaken taken = take_frame(bytes, frame);
      if (taken == FrameTaken::not_yet) return true;
      if (taken == FrameTaken::refused || !on_frame(connection, frame)) return false;
    }
  }

  bool on_frame(Connection& connection, const ClientFrame& frame) {
    const std::string_view payload{frame.payload.data(), frame.payload.size()};
    if (frame.opcode >= first_control_opcode) {
      if (frame.opcode == opcode_ping) reply(connection, opcode_pong, false, payload);
      if (frame.opcode == opcode_close) reply(connection, opcode_close, false, payload);
      return frame.opcode != opcode_close;
    }
    if (!frame.compressed) return on_message(connection, frame.opcode, payload);
    const auto message = connection.deflate ? deflate_.decompress(payload) : std::nullopt;
    return message && on_message(connection, frame.opcode, *message);
  }

  bool on_message(Connection& connection, std::uint8_t opcode, std::string_view message) {
    if (connection.room == nullptr) {
      reply(connection, opcode, connection.deflate,
            connection.deflate ? deflate_.compress(message) : message);
      return true;
    }
    connection.room->lay_down(opcode, message, deflate_);
    if (settings_.join) {
      joined_.push_back(connection.room);  // sending out twice sends once: nothing is left to send
    } else {
      connection.room->send_out();
    }
    return true;
  }

  void reply(const Connection& connection, std::uint8_t opcode, bool compressed, std::string_view payload) {
    reply_.clear();
    append_frame(reply_, opcode, compressed, payload);
    send_all(connection.link, reply_);
  }

  void end(Connection& connection) {
    if (connection.room != nullptr) {
      const int moved = audience_of(connection).leave(connection.place);
      if (moved >= 0) connections_[static_cast<std::size_t>(moved)].place = connection.place;
    }
    close_link(connection.link);
    connection = {};
  }

  static Audience& audience_of(const Connection& connection) {
    return connection.deflate ? connection.room->compressed : connection.room->plain;
  }

  FloorSettings settings_;
  int listener_;
  int poll_;
  std::optional<FloorTls> tls_;
  FloorHandshake handshake_;
  FloorDeflate deflate_;
  std::vector<Connection> connections_;  ///< by descriptor
  std::map<std::string, Room> rooms_;    ///< its elements stay where they are
  std::vector<Room*> joined_;            ///< rooms for which this turn has brought something
  std::string reply_;
  std::array<char, 65536> input_{};
};

}  // namespace

}  // namespace roomcast::bench::floor

void roomcast::bench::run_floor(const FloorSettings& settings) {
  allow_many_descriptors();
  floor::Floor server(settings);
  server.run();
}
