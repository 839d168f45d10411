#pragma once

#include <cstddef>
#include <span>
#include <string_view>

struct ssl_st;

namespace roomcast::bench::floor {

/// A client's socket, non-blocking, with OpenSSL above it or not. A value: the code that accepted it closes
/// it.
struct Link {
  int fd = -1;
  ssl_st* tls = nullptr;
};

/// One send(2), or one SSL_write, when the socket takes everything at once. Else it waits, at most 1 s, until
/// the client has made room: that a client lags for a moment must not end a measurement, and a queue would be
/// more than a floor needs. A client that has not made room by then is cut, with a line on standard error;
/// one that has left is passed over. In both cases the next `receive` reports it.
void send_all(const Link& link, std::string_view bytes);

/// One recv(2), or one SSL_read (and so the TLS handshake): how many bytes came, 0 when there is nothing yet,
/// -1 when nothing will come any more. `buffer` has to hold a whole TLS record, 16 KiB.
[[nodiscard]] std::ptrdiff_t receive(const Link& link, std::span<char> buffer);

/// Whether OpenSSL has read more than it has given out, of which epoll knows nothing.
[[nodiscard]] bool has_read_ahead(const Link& link);

/// Closes the socket; with TLS says so first.
void close_link(const Link& link);

}  // namespace roomcast::bench::floor
