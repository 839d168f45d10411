#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/byte_stream.h"
#include "net/tls_shared.h"

struct ssl_ctx_st;

namespace roomcast::net {

/// What a client of TLS trusts, and how it shows who it is: TLS 1.2 and 1.3 with forward secrecy, no
/// renegotiation, no resumption. Connections keep what they need of it, so a reload may replace it at any
/// time.
class TlsClientContext {
 public:
  struct Options {
    std::string ca_file;  ///< PEM of what is trusted, authorities or servers; empty: what the system trusts
    std::string certificate;  ///< PEM files of a client certificate and its key; both or none
    std::string key;
  };
  /// Reads the files. The error names the file and what is wrong with it.
  [[nodiscard]] static base::Result<TlsClientContext> load(const Options& options);

  [[nodiscard]] ssl_ctx_st* native() const { return context_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };

  explicit TlsClientContext(ssl_ctx_st* context) : context_(context) {}

  std::unique_ptr<ssl_ctx_st, Free> context_;
};

/// The client side of TLS over `below`, a TlsStream. Fails, with the words of OpenSSL, unless the certificate
/// of the server is trusted and is for `host`: a name, which is also sent (SNI) and must be among the DNS
/// names of the certificate (its common name does not count: RFC 9525), or a numeric address, which must be
/// among its IP addresses. A `host` that is neither, such as an empty one, matches no certificate.
///
/// The handshake begins with set_events; what is written before it is complete is not taken, and on_writable
/// follows. It has the deadline of `shared`. An end without close_notify is an error.
[[nodiscard]] std::unique_ptr<ByteStream> make_tls_client(TlsShared& shared, const TlsClientContext& context,
                                                          std::unique_ptr<ByteStream> below,
                                                          std::string_view host);

}  // namespace roomcast::net
