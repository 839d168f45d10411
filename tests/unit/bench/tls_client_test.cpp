#include "load/tls_client.h"

#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "serve/floor_tls.h"

namespace roomcast::bench::tls_client_test {
namespace {

using floor::FloorTls;

/// A client and a server that are connected, both non-blocking.
class Pair {
 public:
  Pair(TlsClient& client, const FloorTls& server) {
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, descriptors_.data()) == 0);
    client_ = client.make(descriptors_[0]);
    server_ = server.begin(descriptors_[1]);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    TlsClient::free(client_);
    SSL_free(server_);
    for (const int descriptor : descriptors_)
      close(descriptor);
  }

  [[nodiscard]] ssl_st* client() const { return client_; }
  [[nodiscard]] ssl_st* server() const { return server_; }

  void shake_hands() const {
    bool done = false;
    for (int round = 0; round < 10 && !done; ++round) {
      TlsClient::refresh(client_);
      const bool client_done = SSL_do_handshake(client_) == 1;
      done = SSL_do_handshake(server_) == 1 && client_done;
    }
    REQUIRE(done);
  }

  void say(const std::string& text) const {
    REQUIRE(SSL_write(server_, text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size()));
  }

  /// What the client reads; empty when it has to wait.
  [[nodiscard]] std::string hear() const {
    std::string room(100, '\0');
    const int bytes = SSL_read(client_, room.data(), static_cast<int>(room.size()));
    if (bytes <= 0) CHECK(SSL_get_error(client_, bytes) == SSL_ERROR_WANT_READ);
    room.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
    return room;
  }

 private:
  std::array<int, 2> descriptors_{};
  ssl_st* client_ = nullptr;
  ssl_st* server_ = nullptr;
};

}  // namespace

TEST_CASE("what comes behind the handshake is read once the poller has told of it") {
  TlsClient client(false);
  const FloorTls server;
  const Pair pair(client, server);
  pair.shake_hands();
  pair.say("hello");
  TlsClient::refresh(pair.client());
  CHECK(pair.hear() == "hello");
}

TEST_CASE("a socket that gave less than asked for is not read again before the poller tells of it") {
  TlsClient client(false);
  const FloorTls server;
  const Pair pair(client, server);
  pair.shake_hands();
  pair.say("one");
  TlsClient::refresh(pair.client());
  CHECK(pair.hear() == "one");
  pair.say("two");
  CHECK(pair.hear().empty());
  TlsClient::refresh(pair.client());
  CHECK(pair.hear() == "two");
}

TEST_CASE("who resumes comes back with the ticket of the connection before, and nobody else does") {
  const FloorTls server;
  for (const bool resume : {false, true}) {
    TlsClient client(resume);
    for (const bool is_first : {true, false}) {
      const Pair pair(client, server);
      pair.shake_hands();
      pair.say("so that the ticket is read");
      TlsClient::refresh(pair.client());
      CHECK_FALSE(pair.hear().empty());
      CHECK((SSL_session_reused(pair.server()) == 1) == (resume && !is_first));
    }
  }
}

}  // namespace roomcast::bench::tls_client_test
