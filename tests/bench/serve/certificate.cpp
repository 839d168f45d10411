#include "serve/certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace roomcast::bench {

namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using File = std::unique_ptr<BIO, FreeBio>;

constexpr long valid_seconds = 86'400;
constexpr long clocks_differ_seconds = 60;

/// All that a certificate says, but for the signature.
void fill_in(X509* certificate, EVP_PKEY* key) {
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -clocks_differ_seconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate), valid_seconds);
  X509_set_pubkey(certificate, key);
  X509_NAME* const subject = X509_get_subject_name(certificate);
  const auto* const name = reinterpret_cast<const unsigned char*>("roomcast-bench");
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(certificate, names, -1);  // takes a copy
  X509_EXTENSION_free(names);
}

}  // namespace

void Certificate::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }
void Certificate::Free::operator()(x509_st* certificate) const { X509_free(certificate); }

Certificate::Certificate() : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
  if (!key_ || !certificate_) throw std::runtime_error("cannot make a key");
  fill_in(certificate_.get(), key_.get());
  if (X509_sign(certificate_.get(), key_.get(), EVP_sha256()) == 0)
    throw std::runtime_error("cannot sign a certificate");
}

void Certificate::use_in(ssl_ctx_st* context) const {
  if (SSL_CTX_use_certificate(context, certificate_.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key_.get()) != 1)
    throw std::runtime_error("OpenSSL does not take the certificate");
}

void Certificate::write(const std::string& certificate_path, const std::string& key_path) const {
  const File certificate(BIO_new_file(certificate_path.c_str(), "w"));
  const File key(BIO_new_file(key_path.c_str(), "w"));
  if (!certificate || !key || PEM_write_bio_X509(certificate.get(), certificate_.get()) != 1 ||
      PEM_write_bio_PrivateKey(key.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    throw std::runtime_error("cannot write " + certificate_path + " and " + key_path);
}

}  // namespace roomcast::bench
