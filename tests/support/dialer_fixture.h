#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/dialer.h"
#include "net/listening_socket.h"
#include "support/socket_fixture.h"
#include "support/sockets.h"

namespace roomcast::test {

struct DialResult final : net::Dialer::Listener {
  std::unique_ptr<net::ByteStream> stream;
  std::string why;
  int calls = 0;
  std::unique_ptr<net::Dialer::Attempt>* to_end = nullptr;  // destroyed from within the call

  void on_dialled(std::unique_ptr<net::ByteStream> made) override {
    ++calls;
    stream = std::move(made);
    if (to_end != nullptr) to_end->reset();
  }
  void on_dial_failed(std::string_view reason) override {
    ++calls;
    why = reason;
    if (to_end != nullptr) to_end->reset();
  }
};

struct DialRecorder final : net::ByteStream::Events {
  std::string bytes;
  void on_bytes(std::span<char> received) override { bytes.append(received.data(), received.size()); }
  void on_end() override {}
  void on_writable() override {}
  void on_error(std::string_view /*why*/) override {}
};

/// A dialer on a loop, and one attempt.
struct DialerFixture : SocketFixture {
  net::Dialer dialer{{loop, sockets, deadlines}};
  DialResult result;
  std::unique_ptr<net::Dialer::Attempt> attempt;

  void dial(const net::DialTarget& target, std::int64_t timeout_ms = 20'000) {
    attempt = dialer.dial(target, timeout_ms, result);
    CHECK(result.calls == 0);
  }
  /// Waits for the end of the attempt, and looks that nothing comes after it.
  void await() {
    CHECK(run_until([&] { return result.calls > 0; }));
    run_idle_turns();
    CHECK(result.calls == 1);
  }
  /// The time that the attempt takes.
  std::int64_t await_ms() {
    const std::int64_t before_ms = loop.monotonic_ms();
    await();
    return loop.monotonic_ms() - before_ms;
  }
  /// Whether bytes come through to a connection of `server`, and back.
  bool is_connected_to(const net::ListeningSocket& server) {
    net::FileDescriptor far(::accept4(server.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!far.is_open() || !result.stream) return false;
    DialRecorder recorder;
    result.stream->set_events(recorder);
    if (!write_all(*result.stream, "ping") || ::send(far.number(), "pong", 4, MSG_NOSIGNAL) != 4)
      return false;
    bool ended = false;
    const bool is_whole = run_until([&] { return recorder.bytes == "pong"; });
    return is_whole && receive_some(far, ended, ended) == "ping";
  }
};

inline net::ListeningSocket listen_on(const std::string& address) {
  return std::move(*net::ListeningSocket::bind(parse_address(address), 0600));
}

/// A port of `host` on which nobody listens.
inline std::uint16_t free_port(const std::string& host = "127.0.0.1") {
  return listen_on(host + ":0").address().port;
}

/// A server whose queue of connections is full, since it accepts none.
struct FullServer {
  net::FileDescriptor socket;
  net::SocketAddress address;
  std::vector<net::FileDescriptor> waiting;

  explicit FullServer(const net::Address& where) : address(net::SocketAddress::from(where)) {
    socket = net::FileDescriptor(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    REQUIRE(::bind(socket.number(), address.get(), address.size) == 0);
    REQUIRE(::listen(socket.number(), 1) == 0);
    if (address.family() != AF_UNIX) {
      address.size = sizeof address.storage;
      REQUIRE(::getsockname(socket.number(), address.get(), &address.size) == 0);
    }
    for (int i = 0; i < 16; ++i) {
      net::FileDescriptor client(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      (void)::connect(client.number(), address.get(), address.size);
      waiting.push_back(std::move(client));
    }
  }
};

}  // namespace roomcast::test
