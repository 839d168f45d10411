#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>

namespace roomcast::net {

namespace {

// The same for all certificates, so that a ticket is valid whichever was selected.
constexpr std::string_view session_id_context = "roomcast";

/// Whether the ALPN list `offered` contains `protocol`; `chosen` is then set to its place in it.
bool find_protocol(std::string_view offered, std::string_view protocol, std::string_view& chosen) {
  while (!offered.empty()) {
    const auto size = static_cast<unsigned char>(offered.front());
    chosen = offered.substr(1, size);
    if (chosen == protocol) return true;
    offered.remove_prefix(std::min<std::size_t>(offered.size(), 1U + size));
  }
  return false;
}

/// RFC 7301: selects HTTP/1.1 if offered, else HTTP/1.0, else sends the alert no_application_protocol.
int choose_protocol(SSL* /*connection*/, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void* /*data*/) {
  const std::string_view list(reinterpret_cast<const char*>(offered), offered_size);
  std::string_view found;
  if (!find_protocol(list, "http/1.1", found) && !find_protocol(list, "http/1.0", found)) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = reinterpret_cast<const unsigned char*>(found.data());
  *chosen_size = static_cast<unsigned char>(found.size());
  return SSL_TLSEXT_ERR_OK;
}

void configure_server(SSL_CTX* context) {
  configure_tls(context);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // Sessions are kept in the clients' tickets.
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(session_id_context.data()),
                                 session_id_context.size());
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

/// Milliseconds since the Unix epoch; 0 if it cannot be read.
std::int64_t to_ms(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? std::int64_t{timegm(&parts)} * 1000 : 0;
}

void narrow(TlsContext::Expiry& expiry, const X509* certificate) {
  expiry.not_before_ms = std::max(expiry.not_before_ms, to_ms(X509_get0_notBefore(certificate)));
  expiry.not_after_ms = std::min(expiry.not_after_ms, to_ms(X509_get0_notAfter(certificate)));
}

TlsContext::Expiry expiry_of(SSL_CTX* context, const std::string& file) {
  const X509* leaf = SSL_CTX_get0_certificate(context);
  TlsContext::Expiry expiry{file, to_ms(X509_get0_notBefore(leaf)), to_ms(X509_get0_notAfter(leaf))};
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, &chain);
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i)
    narrow(expiry, sk_X509_value(chain, i));
  return expiry;
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

TlsContext::~TlsContext() = default;

base::Result<std::shared_ptr<const TlsContext>> TlsContext::load(const std::vector<CertificateFiles>& files) {
  if (files.empty()) return base::Error{"TLS needs a certificate: set tls.certificate and tls.key"};
  std::shared_ptr<TlsContext> made(new TlsContext);
  for (const auto& pair : files) {
    auto context = make(pair);
    if (!context) return std::move(context.error());
    made->expiries_.push_back(expiry_of(context->get(), pair.certificate));
    made->contexts_.push_back(std::move(*context));
  }
  SSL_CTX_set_tlsext_servername_callback(made->native(), on_server_name);
  SSL_CTX_set_tlsext_servername_arg(made->native(), made.get());
  return std::shared_ptr<const TlsContext>(std::move(made));
}

base::Result<TlsContext::Context> TlsContext::make(const CertificateFiles& files) {
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_server_method()));
  if (!context) return base::Error{"cannot set up TLS: " + take_openssl_error()};
  configure_server(context.get());
  if (auto error = use_certificate(context.get(), files)) return std::move(*error);
  return context;
}

int TlsContext::on_server_name(ssl_st* connection, int* /*alert*/, void* self) noexcept {
  static_cast<const TlsContext*>(self)->choose(connection);
  return SSL_TLSEXT_ERR_OK;
}

void TlsContext::choose(ssl_st* connection) const {
  const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr || contexts_.size() == 1) return;
  constexpr std::array<unsigned int, 2> rules{
      X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT};
  for (const auto flags : rules) {
    for (const auto& context : contexts_) {
      X509* certificate = SSL_CTX_get0_certificate(context.get());
      if (X509_check_host(certificate, name, 0, flags, nullptr) != 1) continue;
      SSL_set_SSL_CTX(connection, context.get());
      return;
    }
  }
}

}  // namespace roomcast::net
