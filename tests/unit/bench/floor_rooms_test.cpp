#include "serve/floor_rooms.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "serve/floor_deflate.h"
#include "serve/floor_frames.h"

namespace roomcast::bench::floor::floor_rooms_test {

namespace {

/// A member's socket and the client's end of it.
class Client {
 public:
  Client() { socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() {
    close(ends_[0]);
    close(ends_[1]);
  }
  [[nodiscard]] Link link() const { return {ends_[0], nullptr}; }
  [[nodiscard]] std::string got() const {
    std::array<char, 4096> buffer{};
    const ssize_t size = recv(ends_[1], buffer.data(), buffer.size(), MSG_DONTWAIT);
    return {buffer.data(), size < 0 ? 0 : static_cast<std::size_t>(size)};
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

std::string frame_of(std::string_view text) {
  std::string frame;
  append_frame(frame, 1, false, text);
  return frame;
}

}  // namespace

TEST_CASE("what was laid down goes to every member once, in one piece") {
  FloorDeflate deflate;
  Room room;
  const Client ada;
  const Client bob;
  room.plain.join(ada.link());
  room.plain.join(bob.link());
  room.lay_down(1, "one", deflate);
  room.lay_down(1, "two", deflate);
  CHECK(ada.got().empty());
  room.send_out();
  room.send_out();
  CHECK(ada.got() == frame_of("one") + frame_of("two"));
  CHECK(bob.got() == frame_of("one") + frame_of("two"));
}

TEST_CASE("those who took up compression get it, the others do not") {
  FloorDeflate deflate;
  Room room;
  const Client plain;
  const Client compressed;
  room.plain.join(plain.link());
  room.compressed.join(compressed.link());
  room.lay_down(1, "Hello", deflate);
  room.send_out();
  CHECK(plain.got() == frame_of("Hello"));
  CHECK(compressed.got() == std::string("\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00", 9));
}

TEST_CASE("who leaves gets nothing more, and the last member takes the place") {
  Audience audience;
  const std::array<Client, 3> clients;
  for (std::size_t i = 0; i < clients.size(); ++i)
    CHECK(audience.join(clients[i].link()) == i);
  CHECK(audience.leave(0) == clients[2].link().fd);
  CHECK(audience.leave(1) == -1);
  audience.laid_down() = "bytes";
  audience.send_out();
  CHECK(clients[0].got().empty());
  CHECK(clients[1].got().empty());
  CHECK(clients[2].got() == "bytes");
  CHECK(audience.leave(0) == -1);
  CHECK(audience.empty());
}

}  // namespace roomcast::bench::floor::floor_rooms_test
