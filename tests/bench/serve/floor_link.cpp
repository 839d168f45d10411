#include "serve/floor_link.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace roomcast::bench::floor {

namespace {

constexpr int patience_ms = 1000;

/// False, and the client cut, when there was no room in time.
bool wait_for_room(int fd) {
  pollfd waiting{fd, POLLOUT, 0};
  if (poll(&waiting, 1, patience_ms) == 1) return true;
  std::fprintf(stderr, "cut a client that did not read for %d ms\n", patience_ms);
  shutdown(fd, SHUT_RDWR);
  return false;
}

void send_plain(int fd, std::string_view bytes) {
  for (;;) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(bytes.size())) return;
    if (sent < 0 && errno != EAGAIN) return;
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (!wait_for_room(fd)) return;
  }
}

void send_tls(const Link& link, std::string_view bytes) {
  for (;;) {
    const int sent = SSL_write(link.tls, bytes.data(), static_cast<int>(bytes.size()));
    if (sent > 0) return;
    if (SSL_get_error(link.tls, sent) != SSL_ERROR_WANT_WRITE) {
      ERR_clear_error();  // SSL_get_error of any other connection would see it
      return;
    }
    if (!wait_for_room(link.fd)) return;
  }
}

}  // namespace

void send_all(const Link& link, std::string_view bytes) {
  if (link.tls == nullptr) {
    send_plain(link.fd, bytes);
  } else {
    send_tls(link, bytes);
  }
}

std::ptrdiff_t receive(const Link& link, std::span<char> buffer) {
  if (link.tls == nullptr) {
    const ssize_t size = recv(link.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size > 0) return size;
    return size < 0 && errno == EAGAIN ? 0 : -1;
  }
  const int size = SSL_read(link.tls, buffer.data(), static_cast<int>(buffer.size()));
  if (size > 0) return size;
  if (SSL_get_error(link.tls, size) == SSL_ERROR_WANT_READ) return 0;
  ERR_clear_error();
  return -1;
}

bool has_read_ahead(const Link& link) { return link.tls != nullptr && SSL_has_pending(link.tls) == 1; }

void close_link(const Link& link) {
  if (link.tls != nullptr) {
    SSL_shutdown(link.tls);
    ERR_clear_error();  // there is one when the handshake has not come to its end
    SSL_free(link.tls);
  }
  close(link.fd);
}

}  // namespace roomcast::bench::floor
