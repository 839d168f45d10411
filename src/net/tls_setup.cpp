#include "net/tls_setup.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>
#include <sys/stat.h>

#include <system_error>

namespace roomcast::net {

namespace {

// For TLS 1.2, forward secrecy and authenticated encryption only (RFC 9325 section 4.2); TLS 1.3 has nothing
// else.
constexpr const char* tls12_ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

int refuse_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return -1; }

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

}  // namespace

std::string take_openssl_error() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  if (error == 0) return "unknown TLS error";
  if (ERR_SYSTEM_ERROR(error)) return std::generic_category().message(ERR_GET_REASON(error));
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "OpenSSL error " + std::to_string(error);
}

void configure_tls(ssl_ctx_st* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, tls12_ciphers);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // Otherwise OpenSSL would prompt for the password on the terminal.
  SSL_CTX_set_default_passwd_cb(context, refuse_password);
}

std::optional<base::Error> check_is_file(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0 || S_ISREG(facts.st_mode)) return std::nullopt;
  return base::Error{"cannot use " + path + ": it is not a regular file, and a reload reads it again"};
}

std::optional<base::Error> use_certificate(ssl_ctx_st* context, const CertificateFiles& files) {
  for (const std::string& path : {files.certificate, files.key})
    if (auto error = check_is_file(path)) return error;
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    return base::Error{"cannot use the certificate in " + files.certificate + ": " + take_openssl_error()};
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) return key_error(files);
  return std::nullopt;
}

}  // namespace roomcast::net
