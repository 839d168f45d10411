#pragma once

#include <memory>

struct ssl_st;
struct ssl_ctx_st;

namespace roomcast::bench::floor {

/// OpenSSL as a server uses it that wants the least of it: TLS 1.2 and 1.3, a certificate of its own,
/// sessions kept in the clients' tickets only, one ticket for each connection, buffers given back while
/// nothing is on its way, http/1.1 chosen where the client offers it.
class FloorTls {
 public:
  /// Throws std::runtime_error.
  FloorTls();

  /// The server's side of a connection over `fd`; the first read shakes hands. To be freed by `close_link`.
  [[nodiscard]] ssl_st* begin(int fd) const;

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace roomcast::bench::floor
