#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/tls_setup.h"

struct ssl_st;
struct ssl_ctx_st;

namespace roomcast::net {

/// The configuration of TLS servers: TLS 1.2 and 1.3 with forward secrecy, session tickets, no
/// renegotiation, HTTP/1.1 by ALPN. Immutable: a reload creates a new one, and existing connections keep
/// theirs.
///
/// With several certificates the server name of the client (SNI) selects one: an exact name of the
/// certificate before a wildcard, and the first certificate if none matches or no name was sent.
class TlsContext {
 public:
  /// Reads the files, at least one pair. The error names the file and what is wrong with it.
  [[nodiscard]] static base::Result<std::shared_ptr<const TlsContext>> load(
      const std::vector<CertificateFiles>& files);

  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  struct Expiry {
    std::string certificate;         ///< file name
    std::int64_t not_before_ms = 0;  ///< since the epoch: the latest of the chain
    std::int64_t not_after_ms = 0;   ///< the earliest of the chain: a client needs all of it
  };
  /// The validity of each certificate, in the order of the configuration.
  [[nodiscard]] const std::vector<Expiry>& expiries() const { return expiries_; }

  /// The context of the default certificate, for creating connections. A connection needs this TlsContext
  /// until its handshake is complete.
  [[nodiscard]] ssl_ctx_st* native() const { return contexts_.front().get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  using Context = std::unique_ptr<ssl_ctx_st, Free>;

  TlsContext() = default;
  [[nodiscard]] static base::Result<Context> make(const CertificateFiles& files);
  void choose(ssl_st* connection) const;
  static int on_server_name(ssl_st* connection, int* alert, void* self) noexcept;

  std::vector<Context> contexts_;  // one per certificate
  std::vector<Expiry> expiries_;
};

}  // namespace roomcast::net
