#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/byte_stream.h"
#include "net/socket_stream.h"
#include "net/tls_client.h"
#include "net/tls_shared.h"
#include "net/tls_stream.h"
#include "support/certificates.h"
#include "support/memory_stream.h"
#include "support/socket_fixture.h"
#include "support/sockets.h"
#include "support/tls_client.h"

// A link holds a stream under test and its far end. All have these members:
//   near        the stream under test
//   step()      runs the loop once
//   send        the far end sends; returns the number of bytes sent
//   receive     what the far end has received since the last call
//   finish      the far end ends its sending direction
//   reset       the far end breaks the connection
//   far_ended   whether the far end has seen the end of the near one
namespace roomcast::test {

class MemoryLink {
  static constexpr std::size_t capacity = 65'536;
  MemoryWire wire_;

 public:
  std::unique_ptr<net::ByteStream> near = wire_.make_stream();

  MemoryLink() { wire_.set_room(capacity); }
  void step() { wire_.deliver(10'000); }
  std::size_t send(std::string_view bytes) {
    // A receiver that does not read stops the sender.
    if (wire_.waiting() > 0) return 0;
    wire_.send(bytes.substr(0, capacity));
    return std::min(bytes.size(), capacity);
  }
  std::string receive() {
    std::string bytes = wire_.take_received();
    wire_.set_room(capacity);
    return bytes;
  }
  void finish() { wire_.end(); }
  void reset() { wire_.fail("reset"); }
  bool far_ended() { return wire_.is_shut_down(); }
};

/// Shared by links over real sockets.
class SocketLink {
 public:
  std::unique_ptr<net::ByteStream> near;

  void step() { fixture_.run_idle_turns(1); }
  std::size_t send(std::string_view bytes) {
    const ssize_t sent = ::send(far_.number(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  std::string receive() { return receive_some(far_, ended_, broken_); }
  void finish() { ::shutdown(far_.number(), SHUT_WR); }
  void reset() { test::reset(far_); }
  bool far_ended() {
    (void)receive();
    return ended_;
  }

 protected:
  explicit SocketLink(const std::string& address) {
    auto socket = net::ListeningSocket::bind(parse_address(address), 0600);
    far_ = connect_to(socket->address());
    net::FileDescriptor accepted(::accept4(socket->number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    near = std::move(*net::SocketStream::adopt(fixture_.sockets, std::move(accepted)));
  }
  explicit SocketLink(const TemporaryDirectory& directory) : SocketLink("unix:" + directory.file("s")) {}

  SocketFixture fixture_;
  net::FileDescriptor far_;
  bool ended_ = false;
  bool broken_ = false;
};

/// Members are destroyed before those of a base class, so `near` is destroyed explicitly.
class TcpLink : public SocketLink {
 public:
  TcpLink() : SocketLink("127.0.0.1:0") {}
  ~TcpLink() { near.reset(); }
};

class UnixLink : public SocketLink {
 public:
  UnixLink() : SocketLink(TemporaryDirectory()) {}
  ~UnixLink() { near.reset(); }
};

template <int version>
class TlsLink : public SocketLink {
 public:
  TlsLink() : SocketLink("127.0.0.1:0") { near = wrapper_.wrap(std::move(near), ""); }
  ~TlsLink() { near.reset(); }

  // The handshake takes place once the events of the stream are set.
  std::size_t send(std::string_view bytes) { return client_.send(bytes); }
  std::string receive() { return client_.receive(); }
  void finish() { client_.finish(); }
  void reset() { test::reset(client_.socket()); }
  bool far_ended() {
    (void)receive();
    return client_.ended();
  }
  void step() {
    (void)client_.handshake();
    SocketLink::step();
  }

 private:
  static std::shared_ptr<const net::TlsContext> make_context() {
    const TemporaryDirectory directory;
    return *net::TlsContext::load({make_certificate(directory, "localhost", "DNS:localhost")});
  }

  net::TlsShared shared_{fixture_.turn, fixture_.deadlines};
  net::TlsWrapper wrapper_{shared_, make_context()};
  TlsClient client_{std::move(far_), {"localhost", version, "", nullptr}};
};

/// The client side under test, with OpenSSL as the server.
template <int version>
class TlsClientLink : public SocketLink {
 public:
  TlsClientLink() : SocketLink("127.0.0.1:0") {
    near = net::make_tls_client(shared_, trusted_, std::move(near), "localhost");
  }
  ~TlsClientLink() { near.reset(); }

  std::size_t send(std::string_view bytes) { return server_.send(bytes); }
  std::string receive() { return server_.receive(); }
  void finish() { server_.finish(); }
  void reset() { test::reset(server_.socket()); }
  bool far_ended() {
    (void)receive();
    return server_.ended();
  }
  void step() {
    (void)server_.handshake();
    SocketLink::step();
  }

 private:
  TemporaryDirectory directory_;
  net::CertificateFiles files_ = make_certificate(directory_, "localhost", "DNS:localhost");
  net::TlsClientContext trusted_ = std::move(*net::TlsClientContext::load({files_.certificate, "", ""}));
  net::TlsShared shared_{fixture_.turn, fixture_.deadlines};
  TlsServer server_{std::move(far_), files_, version};
};

using Tls13Link = TlsLink<TLS1_3_VERSION>;
using Tls12Link = TlsLink<TLS1_2_VERSION>;
using Tls13ClientLink = TlsClientLink<TLS1_3_VERSION>;
using Tls12ClientLink = TlsClientLink<TLS1_2_VERSION>;

}  // namespace roomcast::test
