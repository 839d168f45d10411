#include "load/link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "load/tls_client.h"

namespace roomcast::bench {

namespace {

sockaddr_in address_of(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    throw std::runtime_error("'" + host + "' is not a numeric IPv4 address");
  }
  return address;
}

/// The port is chosen when it connects, by which as many connections fit as without an address of one's own.
void bind_to(int descriptor, const std::string& source) {
  const sockaddr_in address = address_of(source, 0);
  const int on = 1;
  setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect from " + source + ": " + std::strerror(errno));
  }
}

Move moved(ssize_t bytes) {
  if (bytes > 0) return {Moved::some, static_cast<std::size_t>(bytes)};
  if (bytes == 0) return {Moved::ended};
  return {errno == EAGAIN || errno == EINTR ? Moved::again : Moved::failed};
}

/// What OpenSSL makes of a call that moved nothing.
Moved hindered(ssl_st* tls, int outcome) {
  switch (SSL_get_error(tls, outcome)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Moved::again;
    case SSL_ERROR_ZERO_RETURN:
      return Moved::ended;
    default:
      return Moved::failed;
  }
}

void make_narrow(int descriptor) {
  const int segment_bytes = 536;
  const int buffer_bytes = 4096;
  setsockopt(descriptor, IPPROTO_TCP, TCP_MAXSEG, &segment_bytes, sizeof segment_bytes);
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
}

}  // namespace

void Link::open(const Target& target, TlsClient* tls) {
  const sockaddr_in address = address_of(target.host, target.port);
  descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) {
    throw std::runtime_error(std::string("no more descriptors (RLIMIT_NOFILE, ulimit -n): ") +
                             std::strerror(errno));
  }
  if (!target.source.empty()) bind_to(descriptor_, target.source);
  if (target.narrow) make_narrow(descriptor_);
  const int on = 1;
  setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int outcome = ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (outcome != 0 && errno == EADDRNOTAVAIL) {
    throw std::runtime_error("no more ports to connect from (net.ipv4.ip_local_port_range)");
  }
  if (tls != nullptr) tls_ = tls->make(descriptor_);
}

Moved Link::connect() {
  sockaddr_in peer{};
  socklen_t peer_bytes = sizeof peer;
  if (tls_ == nullptr || SSL_in_before(tls_) != 0) {
    if (getpeername(descriptor_, reinterpret_cast<sockaddr*>(&peer), &peer_bytes) != 0) {
      int error = 0;
      socklen_t error_bytes = sizeof error;
      getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &error_bytes);
      errno = error != 0 ? error : ECONNREFUSED;
      return Moved::failed;
    }
    if (tls_ == nullptr) return Moved::some;
  }
  ERR_clear_error();
  const int outcome = SSL_do_handshake(tls_);
  return outcome == 1 ? Moved::some : hindered(tls_, outcome);
}

void Link::refresh() {
  if (tls_ != nullptr) TlsClient::refresh(tls_);
}

Move Link::read(std::span<char> room) {
  if (tls_ == nullptr) return moved(::recv(descriptor_, room.data(), room.size(), 0));
  ERR_clear_error();
  std::size_t bytes = 0;
  const int outcome = SSL_read_ex(tls_, room.data(), room.size(), &bytes);
  return outcome == 1 ? Move{Moved::some, bytes} : Move{hindered(tls_, outcome)};
}

Move Link::write(std::string_view bytes) {
  if (tls_ == nullptr) return moved(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  ERR_clear_error();
  std::size_t written = 0;
  const int outcome = SSL_write_ex(tls_, bytes.data(), bytes.size(), &written);
  return outcome == 1 ? Move{Moved::some, written} : Move{hindered(tls_, outcome)};
}

std::string Link::why() const {
  const char* const reason = tls_ != nullptr ? ERR_reason_error_string(ERR_peek_last_error()) : nullptr;
  return reason != nullptr ? std::string("TLS: ") + reason : std::strerror(errno);
}

std::uint32_t Link::resent() const {
  tcp_info info{};
  socklen_t bytes = sizeof info;
  if (getsockopt(descriptor_, IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0) return 0;
  return info.tcpi_total_retrans;
}

void Link::close() {
  if (!is_open()) return;
  if (tls_ != nullptr) SSL_shutdown(tls_);
  drop_tls();
  ::close(descriptor_);
  descriptor_ = -1;
}

void Link::reset() {
  if (!is_open()) return;
  drop_tls();
  const linger at_once{1, 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(descriptor_);
  descriptor_ = -1;
}

void Link::drop_tls() {
  TlsClient::free(tls_);
  tls_ = nullptr;
}

}  // namespace roomcast::bench
