#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <csignal>
#include <memory>
#include <string>
#include <string_view>

#include "net/file_descriptor.h"
#include "net/tls_setup.h"

namespace roomcast::test {

/// One end of TLS over a connected, non-blocking socket, by OpenSSL alone.
class TlsEnd {
 public:
  TlsEnd(net::FileDescriptor socket, const SSL_METHOD* method)
      : socket_(std::move(socket)), context_(SSL_CTX_new(method)) {
    (void)std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes with write(2)
    SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }

  /// Does a step of the handshake; true when it is complete.
  bool handshake() {
    ERR_clear_error();
    const int status = SSL_do_handshake(ssl_.get());
    if (status == 1) return true;
    note(status);
    return false;
  }
  std::size_t send(std::string_view bytes) {
    ERR_clear_error();
    std::size_t sent = 0;
    const int status = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent);
    if (status != 1) note(status);
    return status == 1 ? sent : 0;
  }
  /// The data of one record, or nothing.
  std::string receive() {
    ERR_clear_error();
    std::string bytes(16'384, '\0');
    std::size_t count = 0;
    const int status = SSL_read_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
    if (status != 1) note(status);
    bytes.resize(status == 1 ? count : 0);
    return bytes;
  }
  void finish() {
    SSL_shutdown(ssl_.get());
    ::shutdown(socket_.number(), SHUT_WR);
  }

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] net::FileDescriptor& socket() { return socket_; }
  [[nodiscard]] SSL* native() const { return ssl_.get(); }

 protected:
  /// Begins once the context is configured.
  void make_connection() {
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_.number());
  }
  [[nodiscard]] SSL_CTX* context() const { return context_.get(); }

 private:
  void note(int status) {
    const int error = SSL_get_error(ssl_.get(), status);
    if (error == SSL_ERROR_ZERO_RETURN) {
      ended_ = true;
    } else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      broken_ = true;
    }
  }
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  net::FileDescriptor socket_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  bool ended_ = false;
  bool broken_ = false;
};

/// A TLS client. Does not verify certificates.
class TlsClient : public TlsEnd {
 public:
  struct Options {
    std::string server_name{};
    int most_version = TLS1_3_VERSION;
    std::string protocols{};         ///< ALPN in wire form: a length byte before each
    SSL_SESSION* session = nullptr;  ///< to be resumed
  };

  TlsClient(net::FileDescriptor socket, const Options& options)
      : TlsEnd(std::move(socket), TLS_client_method()) {
    SSL_CTX_set_max_proto_version(context(), options.most_version);
    SSL_CTX_set_session_cache_mode(context(), SSL_SESS_CACHE_CLIENT);
    make_connection();
    SSL_set_connect_state(native());
    if (!options.server_name.empty()) SSL_set_tlsext_host_name(native(), options.server_name.c_str());
    SSL_set_alpn_protos(native(), reinterpret_cast<const unsigned char*>(options.protocols.data()),
                        static_cast<unsigned>(options.protocols.size()));
    if (options.session != nullptr) SSL_set_session(native(), options.session);
  }

  [[nodiscard]] std::string alpn() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(native(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  /// The common name of the server certificate.
  [[nodiscard]] std::string certificate_name() const {
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(native())), NID_commonName,
                              name, sizeof name);
    return name;
  }
};

/// A TLS server.
class TlsServer : public TlsEnd {
 public:
  TlsServer(net::FileDescriptor socket, const net::CertificateFiles& files, int most_version)
      : TlsEnd(std::move(socket), TLS_server_method()) {
    SSL_CTX_set_max_proto_version(context(), most_version);
    SSL_CTX_use_certificate_chain_file(context(), files.certificate.c_str());
    SSL_CTX_use_PrivateKey_file(context(), files.key.c_str(), SSL_FILETYPE_PEM);
    make_connection();
    SSL_set_accept_state(native());
  }
};

}  // namespace roomcast::test
