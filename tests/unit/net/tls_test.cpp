#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/socket_stream.h"
#include "net/tls_context.h"
#include "net/tls_shared.h"
#include "support/certificates.h"
#include "support/fake_clock.h"
#include "support/memory_stream.h"
#include "support/socket_fixture.h"
#include "support/sockets.h"
#include "support/tls_client.h"

namespace roomcast::net::tls_test {

namespace {

struct Recorder final : ByteStream::Events {
  std::string bytes;
  std::string why;
  int ends = 0;
  int errors = 0;
  void on_bytes(std::span<char> received) override { bytes.append(received.data(), received.size()); }
  void on_end() override { ++ends; }
  void on_writable() override {}
  void on_error(std::string_view reason) override {
    ++errors;
    why = reason;
  }
};

struct FreeSession {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Session = std::unique_ptr<SSL_SESSION, FreeSession>;

struct Server {
  explicit Server(std::shared_ptr<const TlsContext> context, std::int64_t handshake_timeout_ms = 10'000,
                  base::Deadlines* deadlines = nullptr)
      : shared(f.turn, deadlines != nullptr ? *deadlines : f.deadlines), wrapper(shared, std::move(context)) {
    shared.set_handshake_timeout(handshake_timeout_ms);
  }

  /// A connected client socket; `stream` and `events` are the server side.
  FileDescriptor connect() {
    auto socket = ListeningSocket::bind(test::parse_address("127.0.0.1:0"), 0600);
    FileDescriptor client = test::connect_to(socket->address());
    FileDescriptor accepted(::accept4(socket->number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    stream = wrapper.wrap(std::move(*SocketStream::adopt(f.sockets, std::move(accepted))), "192.0.2.7");
    events = std::make_unique<Recorder>();
    stream->set_events(*events);
    return client;
  }
  /// True when the handshake of the client is complete, false when it failed.
  bool shake_hands(test::TlsClient& client) {
    bool done = false;
    (void)f.run_until([&] {
      done = done || client.handshake();
      return done || client.broken();
    });
    // A TLS 1.3 client is ready before the server is.
    return done &&
           f.run_until([&] { return shared.stats().handshakes_ok + shared.stats().handshakes_failed > 0; });
  }

  /// The session after a full handshake, for resumption.
  Session make_session(int version) {
    test::TlsClient client(connect(), {.server_name = "one.example", .most_version = version});
    REQUIRE(shake_hands(client));
    const std::string_view hello = "hello";
    REQUIRE(f.write_all(*stream, hello));
    REQUIRE(f.run_until([&] { return client.receive() == hello; }));
    // A copy: OpenSSL invalidates the session with the client.
    return Session(SSL_SESSION_dup(SSL_get0_session(client.native())));
  }
  /// Whether a handshake with `session` resumes it.
  bool resumes(const Session& session, int version) {
    const auto before = shared.stats();
    const Session copy(SSL_SESSION_dup(session.get()));
    test::TlsClient client(connect(),
                           {.server_name = "one.example", .most_version = version, .session = copy.get()});
    REQUIRE(shake_hands(client));
    REQUIRE(f.run_until([&] { return shared.stats().handshakes_ok > before.handshakes_ok; }));
    return shared.stats().handshakes_resumed > before.handshakes_resumed;
  }

  test::SocketFixture f;
  TlsShared shared;
  TlsWrapper wrapper;
  std::unique_ptr<Recorder> events;
  std::unique_ptr<ByteStream> stream;
};

bool says(const std::string& text, const std::string& words) { return text.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("tls: the server name chooses the certificate, exact names before wildcards") {
  const test::TwoCertificates c;
  const auto chosen = [&](const std::string& server_name) {
    Server server(c.load());
    test::TlsClient client(server.connect(), {.server_name = server_name});
    return server.shake_hands(client) ? client.certificate_name() : "failed";
  };
  CHECK(chosen("") == "one");
  CHECK(chosen("one.example") == "one");
  CHECK(chosen("two.example") == "two");
  CHECK(chosen("TWO.example") == "two");
  CHECK(chosen("a.wild.example") == "one");
  CHECK(chosen("exact.wild.example") == "two");
  CHECK(chosen("a.b.wild.example") == "one");  // the default: a wildcard is one label
  CHECK(chosen("unknown.example") == "one");
}

TEST_CASE(
    "tls: HTTP/1.1 is agreed on, else HTTP/1.0, and a client that offers only something else is refused") {
  const test::TwoCertificates c;
  Server server(c.load());
  SUBCASE("both") {
    test::TlsClient client(server.connect(), {.protocols = "\x02h2\x08http/1.1"});
    REQUIRE(server.shake_hands(client));
    CHECK(client.alpn() == "http/1.1");
  }
  SUBCASE("none") {
    test::TlsClient client(server.connect(), {});
    REQUIRE(server.shake_hands(client));
    CHECK(client.alpn().empty());
  }
  SUBCASE("both versions of HTTP/1") {
    test::TlsClient client(server.connect(), {.protocols = "\x08http/1.0\x08http/1.1"});
    REQUIRE(server.shake_hands(client));
    CHECK(client.alpn() == "http/1.1");
  }
  SUBCASE("HTTP/1.0 only") {
    test::TlsClient client(server.connect(), {.protocols = "\x08http/1.0"});
    REQUIRE(server.shake_hands(client));
    CHECK(client.alpn() == "http/1.0");
  }
  SUBCASE("h2 only") {
    test::TlsClient client(server.connect(), {.protocols = "\x02h2"});
    CHECK_FALSE(server.shake_hands(client));
    CHECK(server.events->errors == 1);
    CHECK(server.shared.stats().handshakes_failed == 1);
  }
}

TEST_CASE("tls: sessions are resumed by ticket, also with the certificates of a reload") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const bool reloaded : {false, true}) {
      CAPTURE(version);
      CAPTURE(reloaded);
      const test::TwoCertificates c;
      Server server(c.load());
      const Session session = server.make_session(version);
      CHECK(server.shared.stats().handshakes_resumed == 0);
      if (reloaded) server.wrapper.set_context(c.load());
      CHECK(server.resumes(session, version));
    }
  }
}

TEST_CASE("tls: a ticket is worth nothing once the keys' lifetime is over") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    const test::TwoCertificates c;
    test::FakeClock clock;
    base::Deadlines deadlines(clock, 1);
    Server server(c.load(), 10'000, &deadlines);
    const Session session = server.make_session(version);
    clock.advance(TicketKeys::lifetime_ms - 1);
    deadlines.sweep();
    CHECK(server.resumes(session, version));
    clock.advance(1);
    deadlines.sweep();
    CHECK_FALSE(server.resumes(session, version));
    const Session newer = server.make_session(version);
    CHECK(server.resumes(newer, version));
    clock.advance(TicketKeys::lifetime_ms);
    deadlines.sweep();
    CHECK_FALSE(server.resumes(newer, version));
  }
}

TEST_CASE("tls: versions before 1.2 are refused") {
  const test::TwoCertificates c;
  Server server(c.load());
  test::TlsClient client(server.connect(), {.most_version = TLS1_1_VERSION});
  CHECK_FALSE(server.shake_hands(client));
}

TEST_CASE("tls: a client that asks to renegotiate is not obliged") {
  const test::TwoCertificates c;
  Server server(c.load());
  test::TlsClient client(server.connect(), {.most_version = TLS1_2_VERSION});
  REQUIRE(server.shake_hands(client));
  SSL_renegotiate(client.native());
  (void)server.f.run_until([&] {
    (void)client.handshake();
    return client.broken();
  });
  CHECK(client.broken());
  CHECK(server.shared.stats().handshakes_ok == 1);
}

TEST_CASE("tls: plain HTTP on the TLS port is answered unencrypted, reported, and logged as such") {
  const test::TwoCertificates c;
  Server server(c.load());
  std::vector<std::string> notified;
  server.shared.set_without_tls(
      {"HTTP/1.1 400 Bad Request\r\n\r\n", [&](std::string_view peer) { notified.emplace_back(peer); }});
  std::string request = "GET / HTTP/1.1\r\n\r\n";
  SUBCASE("whole") {}
  SUBCASE("its first byte") { request.resize(1); }
  SUBCASE("another protocol") { request = "ssh-2.0-x\r\n"; }
  const FileDescriptor client = server.connect();
  const auto size = static_cast<ssize_t>(request.size());
  REQUIRE(::send(client.number(), request.data(), request.size(), MSG_NOSIGNAL) == size);
  std::string answer;
  bool ended = false;
  bool broken = false;
  REQUIRE(server.f.run_until([&] {
    answer += test::receive_some(client, ended, broken);
    return ended || broken;
  }));
  CHECK(answer == "HTTP/1.1 400 Bad Request\r\n\r\n");
  CHECK_FALSE(broken);
  CHECK(notified == std::vector<std::string>{"192.0.2.7"});
  // Further input is discarded until the client has received everything.
  CHECK(server.events->errors == 0);
  CHECK(::send(client.number(), "more", 4, MSG_NOSIGNAL) == 4);
  ::shutdown(client.number(), SHUT_WR);
  REQUIRE(server.f.run_until([&] { return server.events->errors > 0; }));
  CHECK(says(server.events->why, "plain HTTP request on a TLS port"));
  CHECK(server.events->bytes.empty());
  CHECK(server.shared.stats().handshakes_failed == 1);
}

TEST_CASE("tls: neither a record of TLS nor text: a failed handshake, and no answer") {
  const test::TwoCertificates c;
  Server server(c.load());
  int notified = 0;
  server.shared.set_without_tls({"no", [&](std::string_view) { ++notified; }});
  const FileDescriptor client = server.connect();
  REQUIRE(::send(client.number(), "\x01\x02\x03\x04\x05\x06\x07\x08", 8, MSG_NOSIGNAL) == 8);
  REQUIRE(server.f.run_until([&] { return server.events->errors > 0; }));
  CHECK(notified == 0);
  CHECK(server.shared.stats().handshakes_failed == 1);
}

TEST_CASE("tls: a handshake that is not finished in time is given up, one that is stays") {
  const test::TwoCertificates c;
  Server server(c.load(), 50);
  SUBCASE("nothing comes") {
    const FileDescriptor client = server.connect();
    REQUIRE(server.f.run_until([&] { return server.events->errors > 0; }));
    CHECK(says(server.events->why, "not completed within 50 ms"));
    CHECK(server.shared.stats().handshakes_failed == 1);
  }
  SUBCASE("it is finished") {
    test::TlsClient client(server.connect(), {});
    REQUIRE(server.shake_hands(client));
    const auto end_ms = server.f.loop.monotonic_ms() + 150;
    REQUIRE(server.f.run_until([&] { return server.f.loop.monotonic_ms() > end_ms; }));
    CHECK(server.events->errors == 0);
  }
}

TEST_CASE("tls: an end without close_notify is an error, unless we had said ours") {
  const test::TwoCertificates c;
  Server server(c.load());
  test::TlsClient client(server.connect(), {});
  REQUIRE(server.shake_hands(client));
  SUBCASE("truncated") {
    ::shutdown(client.socket().number(), SHUT_WR);
    REQUIRE(server.f.run_until([&] { return server.events->errors + server.events->ends > 0; }));
    CHECK(server.events->ends == 0);
    CHECK(says(server.events->why, "without close_notify"));
  }
  SUBCASE("in answer to our end") {
    server.stream->shutdown();
    REQUIRE(server.f.run_until([&] {
      (void)client.receive();
      return client.ended();
    }));
    ::shutdown(client.socket().number(), SHUT_WR);
    REQUIRE(server.f.run_until([&] { return server.events->errors + server.events->ends > 0; }));
    CHECK(server.events->ends == 1);
  }
  SUBCASE("with close_notify") {
    client.finish();
    REQUIRE(server.f.run_until([&] { return server.events->errors + server.events->ends > 0; }));
    CHECK(server.events->ends == 1);
  }
}

TEST_CASE("tls: a broken record is an error in words") {
  const test::TwoCertificates c;
  Server server(c.load());
  test::TlsClient client(server.connect(), {});
  REQUIRE(server.shake_hands(client));
  const std::string_view forged("\x17\x03\x03\x00\x20 this is not what it claims to be ..", 37);
  REQUIRE(::send(client.socket().number(), forged.data(), forged.size(), MSG_NOSIGNAL) == 37);
  REQUIRE(server.f.run_until([&] { return server.events->errors > 0; }));
  CHECK(says(server.events->why, "TLS failed: "));
  CHECK(server.events->why.size() > 15);
}

TEST_CASE("tls: many small pieces leave in one record") {
  const test::TwoCertificates c;
  Server server(c.load());
  test::TlsClient client(server.connect(), {});
  REQUIRE(server.shake_hands(client));
  const std::vector<std::string_view> pieces(100, "0123456789");
  REQUIRE(server.f.run_until([&] { return server.stream->buffered_bytes() == 0; }));
  REQUIRE(server.stream->write(pieces) == 1'000);
  std::string received;
  REQUIRE(server.f.run_until([&] {
    received = client.receive();
    return !received.empty();
  }));
  CHECK(received.size() == 1'000);
}

TEST_CASE("tls: what is buffered for a client that does not read stays bounded") {
  const test::TwoCertificates c;
  Server server(c.load());
  test::TlsClient client(server.connect(), {});
  REQUIRE(server.shake_hands(client));
  const std::string chunk(1'000'000, 'x');
  const std::string_view piece = chunk;
  std::size_t taken = 0;
  for (int i = 0; i < 100; ++i) {
    taken += server.stream->write({&piece, 1});
    server.f.run_idle_turns(1);
  }
  CHECK(server.stream->buffered_bytes() > 0);
  CHECK(server.stream->buffered_bytes() < 90'000);
  CHECK(taken < 100 * chunk.size());
}

TEST_CASE("tls: new certificates hold for new connections, and the old connection goes on") {
  const test::TwoCertificates c;
  Server server(*TlsContext::load({c.one}));
  test::TlsClient old_client(server.connect(), {});
  REQUIRE(server.shake_hands(old_client));
  auto old_stream = std::move(server.stream);
  auto old_events = std::move(server.events);
  server.wrapper.set_context(*TlsContext::load({c.two}));
  test::TlsClient new_client(server.connect(), {});
  REQUIRE(server.shake_hands(new_client));
  CHECK(old_client.certificate_name() == "one");
  CHECK(new_client.certificate_name() == "two");
  REQUIRE(old_client.send("still here") == 10);
  CHECK(server.f.run_until([&] { return old_events->bytes == "still here"; }));
}

TEST_CASE("tls: a handshake in pieces of one byte works") {
  const test::TwoCertificates c;
  Server server(c.load());
  const FileDescriptor socket = server.connect();
  // The client is connected through a socket pair that passes one byte at a time.
  std::array<int, 2> pair{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) == 0);
  const FileDescriptor relay(pair[1]);
  test::TlsClient client(FileDescriptor{pair[0]}, {});
  bool done = false;
  CHECK(server.f.run_until([&] {
    char byte = 0;
    if (::recv(relay.number(), &byte, 1, 0) == 1) (void)::send(socket.number(), &byte, 1, MSG_NOSIGNAL);
    if (::recv(socket.number(), &byte, 1, 0) == 1) (void)::send(relay.number(), &byte, 1, MSG_NOSIGNAL);
    server.f.run_idle_turns(1);
    done = done || client.handshake();
    return done && server.shared.stats().handshakes_ok == 1;
  }));
}

}  // namespace roomcast::net::tls_test
