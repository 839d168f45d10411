#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include "net/tls_context.h"
#include "support/temporary_directory.h"

namespace roomcast::test {

struct CloseFile {
  void operator()(FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<FILE, CloseFile>;

/// Writes a new self-signed certificate and its key as `name`.crt and `name`.key. `alternative_names` as in
/// the configuration of OpenSSL: "DNS:example.org,DNS:*.example.org". Valid until `valid_s` from now, a day.
inline net::CertificateFiles make_certificate(const TemporaryDirectory& directory, const std::string& name,
                                              const std::string& alternative_names, long valid_s = 86'400) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  X509* x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -60);
  X509_gmtime_adj(X509_getm_notAfter(x), valid_s);
  X509_set_pubkey(x, key.get());
  X509_NAME* subject = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(x, subject);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> names(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternative_names.c_str()),
      X509_EXTENSION_free);
  X509_add_ext(x, names.get(), -1);
  X509_sign(x, key.get(), EVP_sha256());

  net::CertificateFiles files{directory.file(name + ".crt"), directory.file(name + ".key")};
  const File crt(std::fopen(files.certificate.c_str(), "w"));
  const File pem(std::fopen(files.key.c_str(), "w"));
  if (!crt || !pem || PEM_write_X509(crt.get(), x) != 1 ||
      PEM_write_PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    throw std::runtime_error("cannot write a test certificate");
  }
  return files;
}

/// Two certificates whose names overlap only by a wildcard.
struct TwoCertificates {
  TemporaryDirectory directory;
  net::CertificateFiles one = make_certificate(directory, "one", "DNS:one.example,DNS:*.wild.example");
  net::CertificateFiles two = make_certificate(directory, "two", "DNS:two.example,DNS:exact.wild.example");
  std::shared_ptr<const net::TlsContext> load() const { return *net::TlsContext::load({one, two}); }
};

}  // namespace roomcast::test
