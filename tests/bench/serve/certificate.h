#pragma once

#include <memory>
#include <string>

struct evp_pkey_st;
struct x509_st;
struct ssl_ctx_st;

namespace roomcast::bench {

/// A self-signed certificate for 127.0.0.1 with its key, ECDSA on P-256 as certificate authorities issue by
/// default; made anew, valid for a day. All servers get one of this kind, so that all sign alike.
class Certificate {
 public:
  /// Throws std::runtime_error.
  Certificate();

  void use_in(ssl_ctx_st* context) const;
  /// As PEM files. Throws std::runtime_error.
  void write(const std::string& certificate_path, const std::string& key_path) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
    void operator()(x509_st* certificate) const;
  };
  std::unique_ptr<evp_pkey_st, Free> key_;
  std::unique_ptr<x509_st, Free> certificate_;
};

}  // namespace roomcast::bench
