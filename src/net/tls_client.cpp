#include "net/tls_client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <new>
#include <utility>

#include "net/tls_setup.h"
#include "net/tls_stream.h"

namespace roomcast::net {

namespace {

int match_no_certificate(int /*is_trusted*/, X509_STORE_CTX* verification) {
  X509_STORE_CTX_set_error(verification, X509_V_ERR_HOSTNAME_MISMATCH);
  return 0;
}

/// Has the certificate checked for `host`. False if that is no host.
bool require_host(SSL* connection, std::string host) {
  X509_VERIFY_PARAM* rules = SSL_get0_param(connection);
  if (host.ends_with('.')) host.pop_back();  // an absolute name
  // To OpenSSL an empty name is none to be checked, and one that begins with a dot stands for all below it.
  if (host.empty() || host.starts_with('.') || host.find('\0') != std::string::npos) return false;
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1) return true;
  X509_VERIFY_PARAM_set_hostflags(rules,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size()) == 1 &&
         SSL_set_tlsext_host_name(connection, host.c_str()) == 1;
}

}  // namespace

void TlsClientContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

base::Result<TlsClientContext> TlsClientContext::load(const Options& options) {
  ERR_clear_error();
  TlsClientContext made(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = made.native();
  if (context == nullptr) return base::Error{"cannot set up TLS: " + take_openssl_error()};
  configure_tls(context);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  // Whatever is in the file is trusted, also what another authority has signed.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  if (options.ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1)
      return base::Error{"cannot read the certificates that the system trusts: " + take_openssl_error()};
  } else {
    if (auto error = check_is_file(options.ca_file)) return std::move(*error);
    if (SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1)
      return base::Error{"cannot use the certificates in " + options.ca_file + ": " + take_openssl_error()};
  }
  if (options.certificate.empty() != options.key.empty()) {
    const bool lacks_key = options.key.empty();
    return base::Error{lacks_key ? "the client certificate in " + options.certificate + " needs its key"
                                 : "the key in " + options.key + " needs its certificate"};
  }
  if (!options.certificate.empty())
    if (auto error = use_certificate(context, {options.certificate, options.key})) return std::move(*error);
  return made;
}

std::unique_ptr<ByteStream> make_tls_client(TlsShared& shared, const TlsClientContext& context,
                                            std::unique_ptr<ByteStream> below, std::string_view host) {
  // OpenSSL counts the references to its context.
  TlsStream::Connection connection(SSL_new(context.native()));
  if (!connection) throw std::bad_alloc();
  SSL_set_connect_state(connection.get());
  if (!require_host(connection.get(), std::string(host)))
    SSL_set_verify(connection.get(), SSL_VERIFY_PEER, match_no_certificate);
  ERR_clear_error();
  return std::make_unique<TlsStream>(shared, std::move(connection), std::move(below));
}

}  // namespace roomcast::net
