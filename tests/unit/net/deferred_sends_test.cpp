#include "net/deferred_sends.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "support/socket_fixture.h"
#include "support/sockets.h"

namespace roomcast::net::deferred_sends_test {

namespace {

using base::Bytes;

/// A stream, the other end of its socket, and what the stream has reported.
struct Link final : ByteStream::Events {
  explicit Link(SocketShared& shared) {
    std::array<int, 2> pair{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) == 0);
    far = FileDescriptor(pair[0]);
    near = std::move(*SocketStream::adopt(shared, FileDescriptor(pair[1])));
    near->set_events(*this);
  }
  void on_bytes(std::span<char> /*bytes*/) override {}
  void on_end() override {}
  void on_writable() override { writable = true; }
  void on_error(std::string_view /*why*/) override { failed = true; }
  void on_write_incomplete(Bytes&& left, bool started) override {
    ++answers;
    rest = std::move(left);
    is_started = started;
  }
  bool write_later(std::string_view bytes) const {
    Bytes frame = Bytes::copy_of(bytes);
    return near->write_later(frame);
  }
  std::string receive() {
    bool ended = false;
    bool broken = false;
    return test::receive_some(far, ended, broken);
  }

  FileDescriptor far;
  std::unique_ptr<ByteStream> near;
  int answers = 0;
  Bytes rest;
  bool is_started = false;
  bool writable = false;
  bool failed = false;
};

}  // namespace

TEST_CASE("deferred sends: nothing leaves before send_all, then everything, once") {
  test::SocketFixture f;
  Link ada(f.sockets);
  Link bob(f.sockets);
  REQUIRE(ada.write_later("to ada"));
  REQUIRE(bob.write_later("to bob"));
  CHECK(ada.receive().empty());
  const auto& socket_of_ada = static_cast<const SocketStream&>(*ada.near);
  CHECK(f.sockets.deferred_sends.holds(socket_of_ada));
  f.sockets.deferred_sends.send_all();
  CHECK_FALSE(f.sockets.deferred_sends.holds(socket_of_ada));
  CHECK(ada.receive() == "to ada");
  CHECK(bob.receive() == "to bob");
  f.sockets.deferred_sends.send_all();
  CHECK(ada.receive().empty());
  CHECK(ada.answers == 0);
  CHECK(bob.answers == 0);
}

TEST_CASE(
    "deferred sends: what the kernel does not take comes back, and the stream is written to when it can be") {
  test::SocketFixture f;
  Link slow(f.sockets);
  const std::string large(4'000'000, 'x');
  REQUIRE(slow.write_later(large));
  f.sockets.deferred_sends.send_all();
  CHECK(slow.answers == 1);
  CHECK(slow.is_started);
  REQUIRE_FALSE(slow.rest.empty());
  CHECK_FALSE(slow.write_later("later"));
  std::string received;
  CHECK(f.run_until([&] {
    received += slow.receive();
    return slow.writable && received.size() + slow.rest.size() >= large.size();
  }));
  CHECK(received.size() + slow.rest.size() == large.size());
  CHECK(slow.write_later("later"));
  f.sockets.deferred_sends.send_all();
  CHECK(slow.receive() == "later");
  CHECK(slow.answers == 1);
}

TEST_CASE(
    "deferred sends: of a broken connection the frame comes back whole, the error follows, others have "
    "theirs") {
  test::SocketFixture f;
  Link gone(f.sockets);
  Link there(f.sockets);
  gone.far.close();
  REQUIRE(gone.write_later("into the void"));
  REQUIRE(there.write_later("hello"));
  f.sockets.deferred_sends.send_all();
  CHECK_FALSE(gone.is_started);
  CHECK(gone.rest.view() == "into the void");
  CHECK(there.receive() == "hello");
  CHECK_FALSE(gone.write_later("again"));
  CHECK(f.run_until([&] { return gone.failed; }));
}

}  // namespace roomcast::net::deferred_sends_test
