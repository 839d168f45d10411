#include "net/proxy_preambles.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/socket_fixture.h"
#include "support/sockets.h"

namespace roomcast::net::proxy_preambles_test {

namespace {

constexpr std::string_view header = "PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n";

struct Connection {
  FileDescriptor socket;
  Peer client;
};

struct Receiver final : ProxyPreambles::Receiver {
  void on_preamble(FileDescriptor socket, Peer client) override {
    connections.push_back({std::move(socket), std::move(client)});
  }
  std::vector<Connection> connections;
};

struct Fixture {
  explicit Fixture(std::int64_t timeout_ms = 60'000)
      : preambles(f.sockets.poller, f.turn, f.deadlines, log, timeout_ms) {}

  /// The proxy's end of a connection whose header is waited for.
  FileDescriptor accept(ProxyPreambles::Receiver& receiver) {
    std::array<int, 2> pair{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) == 0);
    add(FileDescriptor(pair[0]), receiver);
    return FileDescriptor(pair[1]);
  }
  FileDescriptor accept() { return accept(receiver); }
  void add(FileDescriptor socket, ProxyPreambles::Receiver& to) {
    Admission admission;
    REQUIRE(admissions.admit("203.0.113.1", true, admission) == ExceededLimit::none);
    preambles.add(std::move(socket), {.address = "203.0.113.1", .port = 1'000}, std::move(admission), to);
  }
  /// Whether the server closes the connection of `proxy`.
  bool is_closed(const FileDescriptor& proxy) {
    return f.run_until([&] {
      bool ended = false;
      bool broken = false;
      (void)test::receive_some(proxy, ended, broken);
      return ended || broken;
    });
  }

  test::SocketFixture f;
  AdmissionControl admissions{{2, 100}};
  base::Log log{base::LogLevel::error, base::LogFormat::text};
  Receiver receiver;
  ProxyPreambles preambles;
};

void send(const FileDescriptor& socket, std::string_view bytes) {
  REQUIRE(::send(socket.number(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
}

}  // namespace

TEST_CASE("PROXY preambles: a header in pieces names the client, and what follows it is left in the socket") {
  Fixture t;
  const FileDescriptor proxy = t.accept();
  send(proxy, header.substr(0, 10));
  t.f.run_idle_turns();
  CHECK(t.receiver.connections.empty());
  CHECK(t.admissions.connections() == 1);
  send(proxy, std::string(header.substr(10)) + "GET / HTTP/1.1");
  REQUIRE(t.f.run_until([&] { return !t.receiver.connections.empty(); }));
  const Connection& connection = t.receiver.connections[0];
  CHECK(connection.client.address == "192.0.2.7");
  CHECK(connection.client.port == 40'000);
  CHECK(connection.client.is_forwarded);
  CHECK_FALSE(connection.client.is_secure);
  CHECK(t.admissions.connections() == 0);
  bool ended = false;
  CHECK(test::receive_some(connection.socket, ended, ended) == "GET / HTTP/1.1");
}

TEST_CASE("PROXY preambles: a proxy that speaks for itself keeps its own address") {
  Fixture t;
  const FileDescriptor proxy = t.accept();
  send(proxy, "PROXY UNKNOWN\r\n");
  REQUIRE(t.f.run_until([&] { return !t.receiver.connections.empty(); }));
  CHECK(t.receiver.connections[0].client.address == "203.0.113.1");
  CHECK(t.receiver.connections[0].client.port == 1'000);
  CHECK(t.receiver.connections[0].client.is_forwarded);
}

TEST_CASE("PROXY preambles: another beginning, an early end and silence close the connection") {
  Fixture t(50);
  const FileDescriptor wrong = t.accept();
  send(wrong, "GET / HTTP/1.1\r\n\r\n");
  CHECK(t.is_closed(wrong));
  const FileDescriptor ended = t.accept();
  send(ended, "PROXY TCP4 ");
  ::shutdown(ended.number(), SHUT_WR);
  CHECK(t.is_closed(ended));
  const FileDescriptor silent = t.accept();
  CHECK(t.is_closed(silent));
  CHECK(t.receiver.connections.empty());
  CHECK(t.admissions.connections() == 0);
}

TEST_CASE(
    "PROXY preambles: where connections are scarce the one that has waited longest for its header goes") {
  Fixture t;
  const FileDescriptor oldest = t.accept();
  const FileDescriptor other = t.accept();
  const FileDescriptor newcomer = t.accept();
  CHECK(t.admissions.connections() == 2);
  CHECK(t.admissions.evicted() == 1);
  CHECK(t.is_closed(oldest));
  send(other, header);
  send(newcomer, header);
  CHECK(t.f.run_until([&] { return t.receiver.connections.size() == 2; }));
}

TEST_CASE("PROXY preambles: those of a receiver that ends are closed, and no others") {
  Fixture t;
  Receiver ending;
  const FileDescriptor dropped = t.accept(ending);
  const FileDescriptor kept = t.accept();
  t.preambles.drop(ending);
  CHECK(t.is_closed(dropped));
  CHECK(t.admissions.connections() == 1);
  send(kept, header);
  CHECK(t.f.run_until([&] { return t.receiver.connections.size() == 1; }));
  CHECK(ending.connections.empty());
}

TEST_CASE("PROXY preambles: a descriptor that cannot be watched is given up") {
  Fixture t;
  t.add(FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)), t.receiver);
  t.f.run_idle_turns();
  CHECK(t.admissions.connections() == 0);
  CHECK(t.receiver.connections.empty());
}

}  // namespace roomcast::net::proxy_preambles_test
