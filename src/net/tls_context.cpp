#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <span>
#include <string_view>
#include <system_error>

namespace roomcast::net {

std::string take_openssl_error() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  if (error == 0) return "unknown TLS error";
  if (ERR_SYSTEM_ERROR(error)) return std::generic_category().message(ERR_GET_REASON(error));
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "OpenSSL error " + std::to_string(error);
}

namespace {

// For TLS 1.2, forward secrecy and authenticated encryption only (RFC 9325 section 4.2); TLS 1.3 has nothing
// else.
constexpr const char* tls12_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
// The same for all certificates, so that a ticket is valid whichever was selected.
constexpr std::string_view session_id_context = "roomcast";

int refuse_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return -1; }

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

void configure(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, tls12_ciphers);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  // Sessions are kept in the clients' tickets; no cache here.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(session_id_context.data()),
                                 session_id_context.size());
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  // Otherwise OpenSSL would prompt for the password on the terminal.
  SSL_CTX_set_default_passwd_cb(context, refuse_password);
}

/// Whether something other than a file exists at `path`. Opening a FIFO would block.
bool is_something_else_than_a_file(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode);
}

base::Error key_error(const CertificateFiles& files) {
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) == ERR_LIB_X509 &&
      (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH)) {
    ERR_clear_error();
    return {"the key in " + files.key + " does not belong to the certificate in " + files.certificate};
  }
  return {"cannot use the key in " + files.key + ": " + take_openssl_error()};
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
  for (const std::string& path : {files.certificate, files.key}) {
    if (is_something_else_than_a_file(path)) {
      return base::Error{"cannot use " + path + ": it is not a regular file, and a reload reads it again"};
    }
  }
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_server_method()));
  if (!context) return base::Error{"cannot set up TLS: " + take_openssl_error()};
  configure(context.get());
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
    return base::Error{"cannot use the certificate in " + files.certificate + ": " + take_openssl_error()};
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return key_error(files);
  }
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
