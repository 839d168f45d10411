#include "net/listening_socket.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fstream>
#include <optional>
#include <string>

#include "support/sockets.h"
#include "support/temporary_directory.h"

namespace roomcast::net::listening_socket_test {

namespace {

bool exists(const std::string& path) {
  struct stat file {};
  return ::lstat(path.c_str(), &file) == 0;
}

base::Result<ListeningSocket, ListeningSocket::BindError> bind(
    const std::string& text, ListeningSocket::Ipv4 ipv4 = ListeningSocket::Ipv4::too) {
  return ListeningSocket::bind(test::parse_address(text), 0600, ipv4);
}

}  // namespace

TEST_CASE("listening socket: port 0 becomes the true port") {
  const auto socket = bind("127.0.0.1:0");
  REQUIRE(socket);
  CHECK(socket->address().port > 0);
  CHECK(socket->address().host == "127.0.0.1");
  CHECK(test::connect_to(socket->address()).is_open());
}

TEST_CASE("listening socket: what is accepted sends without delay") {
  const auto sends_at_once = [](const ListeningSocket& socket) {
    const FileDescriptor client = test::connect_to(socket.address());
    const FileDescriptor accepted(::accept4(socket.number(), nullptr, nullptr, SOCK_CLOEXEC));
    int no_delay = 0;
    socklen_t size = sizeof no_delay;
    REQUIRE(::getsockopt(accepted.number(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size) == 0);
    return no_delay != 0;
  };
  const auto bound = bind("127.0.0.1:0");
  REQUIRE(bound);
  CHECK(sends_at_once(*bound));

  FileDescriptor made_elsewhere(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::listen(made_elsewhere.number(), 1) == 0);
  const auto adopted = ListeningSocket::adopt(std::move(made_elsewhere));
  REQUIRE(adopted);
  CHECK(sends_at_once(*adopted));
}

TEST_CASE("listening socket: one that was handed over with a short backlog gets the largest") {
  const auto backlog_of = [](int socket) {
    tcp_info info{};
    socklen_t size = sizeof info;
    REQUIRE(::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
    return info.tcpi_sacked;  // of a listening socket
  };
  const auto bound = bind("127.0.0.1:0");
  REQUIRE(bound);
  FileDescriptor made_elsewhere(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::listen(made_elsewhere.number(), 3) == 0);
  REQUIRE(backlog_of(made_elsewhere.number()) == 3);
  const auto adopted = ListeningSocket::adopt(std::move(made_elsewhere));
  REQUIRE(adopted);
  CHECK(backlog_of(adopted->number()) == backlog_of(bound->number()));
}

TEST_CASE("listening socket: [::] takes IPv4 connections too") {
  const auto six = bind("[::]:0");
  if (!six) return;  // no IPv6 on this machine
  Address four = six->address();
  four.host = "127.0.0.1";
  CHECK(test::connect_to(four).is_open());
  const auto second = bind("0.0.0.0:" + std::to_string(four.port));
  REQUIRE_FALSE(second);
  CHECK(second.error().is_in_use());
}

TEST_CASE("listening socket: 0.0.0.0 and [::] stand side by side on one port, if they are to be apart") {
  const auto six = bind("[::]:0", ListeningSocket::Ipv4::apart);
  if (!six) return;  // no IPv6 on this machine
  const auto four = bind("0.0.0.0:" + std::to_string(six->address().port));
  CHECK(four);
}

TEST_CASE("listening socket: a missing address is distinguished from one in use") {
  const auto elsewhere = bind("192.0.2.1:0");
  REQUIRE_FALSE(elsewhere);
  CHECK(elsewhere.error().is_missing());
  CHECK_FALSE(elsewhere.error().is_in_use());
}

TEST_CASE("listening socket: an address in use is an error that names it") {
  const auto first = bind("127.0.0.1:0");
  REQUIRE(first);
  const auto second = bind(first->address().to_url());
  REQUIRE_FALSE(second);
  CHECK(second.error().message.find(first->address().to_url()) != std::string::npos);
  CHECK(second.error().message.find("in use") != std::string::npos);
}

TEST_CASE("listening socket: the file of a Unix socket has the mode asked for, and goes with it") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("s");
  {
    const auto socket = ListeningSocket::bind(test::parse_address("unix:" + path), 0640);
    REQUIRE(socket);
    struct stat file {};
    REQUIRE(::lstat(path.c_str(), &file) == 0);
    CHECK((file.st_mode & 0777) == 0640);
    CHECK(socket->address().to_url() == "unix:" + path);
  }
  CHECK_FALSE(exists(path));
}

TEST_CASE("listening socket: a Unix socket that a dead process left is replaced, one that answers is not") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("s");
  const auto where = SocketAddress::from(test::parse_address("unix:" + path));
  {
    const FileDescriptor dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(::bind(dead.number(), where.get(), where.size) == 0);
  }
  REQUIRE(exists(path));
  const auto first = bind("unix:" + path);
  REQUIRE(first);
  const auto second = bind("unix:" + path);
  REQUIRE_FALSE(second);
  CHECK(second.error().message.find("another process") != std::string::npos);
  CHECK(exists(path));
}

TEST_CASE("listening socket: a file that is no socket is left alone") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("precious");
  std::ofstream(path) << "data";
  const auto socket = bind("unix:" + path);
  REQUIRE_FALSE(socket);
  CHECK(socket.error().message.find("not a socket") != std::string::npos);
  CHECK(exists(path));
}

TEST_CASE("listening socket: the file that a successor put in its place stays") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("s");
  auto first = std::make_optional(bind("unix:" + path));
  REQUIRE(*first);
  ::unlink(path.c_str());
  const auto successor = bind("unix:" + path);
  REQUIRE(successor);
  first.reset();
  CHECK(exists(path));
}

TEST_CASE("listening socket: one that was handed over is taken as it is, and its file stays") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("s");
  const auto where = SocketAddress::from(test::parse_address("unix:" + path));
  FileDescriptor inherited(::socket(AF_UNIX, SOCK_STREAM, 0));
  REQUIRE(::bind(inherited.number(), where.get(), where.size) == 0);
  SUBCASE("it must listen") {
    const auto socket = ListeningSocket::adopt(std::move(inherited));
    REQUIRE_FALSE(socket);
    CHECK(socket.error().message.find("is none") != std::string::npos);
  }
  SUBCASE("listening") {
    REQUIRE(::listen(inherited.number(), 1) == 0);
    {
      const auto socket = ListeningSocket::adopt(std::move(inherited));
      REQUIRE(socket);
      CHECK(socket->address().to_url() == "unix:" + path);
      CHECK((::fcntl(socket->number(), F_GETFL) & O_NONBLOCK) != 0);
      CHECK((::fcntl(socket->number(), F_GETFD) & FD_CLOEXEC) != 0);
    }
    CHECK(exists(path));
  }
}

TEST_CASE("listening socket: what is no socket at all is refused") {
  const auto socket = ListeningSocket::adopt(FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
  CHECK_FALSE(socket);
}

}  // namespace roomcast::net::listening_socket_test
