#pragma once

#include <openssl/bio.h>
#include <sys/socket.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "net/file_descriptor.h"
#include "support/sockets.h"
#include "support/tls_client.h"

namespace roomcast::test {

/// The sizes of the TLS records (RFC 8446 section 5.1) in `wire`, without their headers. An incomplete record
/// counts as size 0.
inline std::vector<std::size_t> records_in(std::string_view wire) {
  constexpr std::size_t header = 5;
  std::vector<std::size_t> sizes;
  while (!wire.empty()) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(wire[at]); };
    const std::size_t size = wire.size() < header ? 0 : std::size_t{byte(3)} * 256 + byte(4);
    if (wire.size() < header + size) {
      sizes.push_back(0);
      return sizes;
    }
    sizes.push_back(size);
    wire.remove_prefix(header + size);
  }
  return sizes;
}

/// A TLS client whose ciphertext is transferred by the test, which can inspect it.
class TlsCarrier {
 public:
  explicit TlsCarrier(net::FileDescriptor socket)
      : socket_(std::move(socket)), client_({}, {}), up_(BIO_new(BIO_s_mem())), down_(BIO_new(BIO_s_mem())) {
    BIO_set_mem_eof_return(down_, -1);
    SSL_set_bio(client_.native(), down_, up_);
  }

  /// Sends all pending output of the client at once; false if the socket did not take it.
  [[nodiscard]] bool carry_up() {
    std::string bytes(65'536, '\0');
    const int count = BIO_read(up_, bytes.data(), static_cast<int>(bytes.size()));
    if (count <= 0) return true;
    return ::send(socket_.number(), bytes.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL) == count;
  }
  /// Passes the data of one recv() to the client and returns it; empty if nothing has arrived.
  [[nodiscard]] std::string carry_down() {
    bool ended = false;
    std::string bytes = receive_some(socket_, ended, ended);
    if (!bytes.empty()) BIO_write(down_, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }

  [[nodiscard]] TlsClient& client() { return client_; }

 private:
  net::FileDescriptor socket_;
  TlsClient client_;
  BIO* up_;    // of the client
  BIO* down_;  // of the client
};

}  // namespace roomcast::test
