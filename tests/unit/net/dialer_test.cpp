#include "net/dialer.h"

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>
#include <string>

#include "support/dialer_fixture.h"
#include "support/socket_fixture.h"
#include "support/sockets.h"
#include "support/temporary_directory.h"

namespace roomcast::net::dialer_test {

namespace {

using Fixture = test::DialerFixture;
using test::free_port;
using test::FullServer;
using test::listen_on;

/// Clients of this address get the port that they connect to, which otherwise happens by chance.
constexpr const char* own_peer = "127.0.9.9";

int option(int socket, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  CHECK(::getsockopt(socket, level, name, &value, &size) == 0);
  return value;
}

/// The highest descriptor that is open: that of the socket which was made last.
int newest_descriptor() {
  const FileDescriptor next(::dup(0));
  return next.number() - 1;
}

}  // namespace

TEST_CASE("dialer: connects to a numeric address, for a long-lived link") {
  const ListeningSocket server = listen_on("127.0.0.1:0");
  Fixture f;
  f.dial({"127.0.0.1", server.address().port, ""});
  f.await();
  REQUIRE(f.result.stream);
  CHECK(f.result.why.empty());
  CHECK_FALSE(f.result.stream->is_secure());
  const int socket = newest_descriptor();
  CHECK(option(socket, IPPROTO_TCP, TCP_NODELAY) != 0);
  CHECK(option(socket, SOL_SOCKET, SO_KEEPALIVE) != 0);
  CHECK(option(socket, IPPROTO_TCP, TCP_KEEPIDLE) == 15);
  CHECK(option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT) == 30'000);
  CHECK(f.is_connected_to(server));
}

TEST_CASE("dialer: connects to an IPv6 address") {
  auto server = ListeningSocket::bind(test::parse_address("[::1]:0"), 0600);
  if (!server) return;  // no IPv6 here
  Fixture f;
  f.dial({"::1", server->address().port, ""});
  f.await();
  CHECK(f.is_connected_to(*server));
}

TEST_CASE("dialer: connects to a Unix socket") {
  const test::TemporaryDirectory directory;
  const ListeningSocket server = listen_on("unix:" + directory.file("s"));
  Fixture f;
  f.dial({"", 0, directory.file("s")});
  f.await();
  CHECK(f.is_connected_to(server));
}

TEST_CASE("dialer: a refused connection is reported at once, with the target and the cause") {
  Fixture f;
  SUBCASE("by number") {
    const std::uint16_t port = free_port();
    f.dial({"127.0.0.1", port, ""});
    CHECK(f.await_ms() < 10'000);
    CHECK(f.result.why == "127.0.0.1:" + std::to_string(port) + ": connection refused");
  }
  SUBCASE("a Unix socket that is not there") {
    const test::TemporaryDirectory directory;
    f.dial({"", 0, directory.file("none")});
    f.await();
    CHECK(f.result.why == "unix:" + directory.file("none") + ": no such file or directory");
  }
  SUBCASE("a Unix socket that nobody listens on any more") {
    const test::TemporaryDirectory directory;
    const auto where = SocketAddress::from(test::parse_address("unix:" + directory.file("s")));
    const FileDescriptor left(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::bind(left.number(), where.get(), where.size) == 0);
    f.dial({"", 0, directory.file("s")});
    f.await();
    CHECK(f.result.why == "unix:" + directory.file("s") + ": connection refused");
  }
  SUBCASE("a path that is too long") {
    f.dial({"", 0, "/" + std::string(200, 'x')});
    f.await();
    CHECK(f.result.why.ends_with("xx: the path of a Unix socket has at most 107 bytes"));
  }
  CHECK_FALSE(f.result.stream);
}

TEST_CASE("dialer: gives up at its deadline") {
  Fixture f;
  constexpr std::int64_t timeout_ms = 200;
  SUBCASE("a server whose queue of connections is full") {
    const FullServer server(test::parse_address("127.0.0.1:0"));
    const std::uint16_t port = server.address.to_peer().port;
    f.dial({"127.0.0.1", port, ""}, timeout_ms);
    CHECK(f.await_ms() >= timeout_ms);
    CHECK(f.result.why == "127.0.0.1:" + std::to_string(port) + ": no answer within 200 ms");
  }
  SUBCASE("a Unix socket whose queue is full") {
    const test::TemporaryDirectory directory;
    const FullServer server(test::parse_address("unix:" + directory.file("s")));
    f.dial({"", 0, directory.file("s")}, timeout_ms);
    CHECK(f.await_ms() >= timeout_ms);
    CHECK(f.result.why == "unix:" + directory.file("s") + ": its queue of connections was full for 200 ms");
  }
  CHECK_FALSE(f.result.stream);
}

TEST_CASE("dialer: a Unix socket whose queue is full is connected to once it has room") {
  const test::TemporaryDirectory directory;
  const FullServer server(test::parse_address("unix:" + directory.file("s")));
  Fixture f;
  f.dial({"", 0, directory.file("s")});
  f.run_idle_turns();
  CHECK(f.result.calls == 0);
  for (int i = 0; i < 3; ++i)
    (void)FileDescriptor(::accept4(server.socket.number(), nullptr, nullptr, SOCK_CLOEXEC));
  f.await();
  CHECK(f.result.stream);
}

TEST_CASE("dialer: an attempt may be destroyed at any moment, and nothing is reported after it") {
  const ListeningSocket server = listen_on("127.0.0.1:0");
  Fixture f;
  SUBCASE("before it has begun") {
    f.dial({"127.0.0.1", server.address().port, ""});
    f.attempt.reset();
  }
  SUBCASE("while it connects") {
    const FullServer silent(test::parse_address("127.0.0.2:0"));
    f.dial({"127.0.0.2", silent.address.to_peer().port, ""});
    f.run_idle_turns();
    f.attempt.reset();
  }
  SUBCASE("while it waits for room in a full queue") {
    const test::TemporaryDirectory directory;
    const FullServer full(test::parse_address("unix:" + directory.file("s")));
    f.dial({"", 0, directory.file("s")});
    f.run_idle_turns();
    f.attempt.reset();
  }
  f.run_idle_turns();
  CHECK(f.result.calls == 0);
}

TEST_CASE("dialer: an attempt may be destroyed from within what it reports") {
  const ListeningSocket server = listen_on("127.0.0.1:0");
  Fixture f;
  f.result.to_end = &f.attempt;
  SUBCASE("connected") { f.dial({"127.0.0.1", server.address().port, ""}); }
  SUBCASE("refused") { f.dial({"127.0.0.1", free_port(), ""}); }
  SUBCASE("timed out") {
    const FullServer silent(test::parse_address("127.0.0.2:0"));
    f.dial({"127.0.0.2", silent.address.to_peer().port, ""}, 20);
    f.await();
  }
  f.await();
  CHECK_FALSE(f.attempt);
}

TEST_CASE("dialer: nothing comes of the deadline of an attempt that is over") {
  Fixture f;
  f.dial({"127.0.0.1", free_port(), ""}, 200);
  f.await();
  (void)f.run_until([] { return false; }, 300);
  CHECK(f.result.calls == 1);
}

TEST_CASE("dialer: a socket that is connected with itself is refused") {
  Fixture f;
  const std::uint16_t port = free_port(own_peer);
  f.dial({own_peer, port, ""});
  f.await();
  CHECK(f.result.why == own_peer + (":" + std::to_string(port) + ": connection refused"));
  CHECK_FALSE(f.result.stream);
}

}  // namespace roomcast::net::dialer_test

/// Stands in front of the C library's.
extern "C" int connect(int socket, const sockaddr* address, socklen_t size) {
  using Function = int (*)(int, const sockaddr*, socklen_t);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "connect"));
  roomcast::net::SocketAddress peer;
  if (size <= sizeof peer.storage) std::memcpy(&peer.storage, address, size);
  if (peer.to_peer().address == roomcast::net::dialer_test::own_peer) (void)::bind(socket, address, size);
  return real(socket, address, size);
}
