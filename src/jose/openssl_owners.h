#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include <memory>

/// Owners of OpenSSL's objects, for the sources of this folder only: its headers name no type of OpenSSL.
namespace roomcast::jose {

template <auto Free>
struct OpensslFree {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <class T, auto Free>
using OpensslOwner = std::unique_ptr<T, OpensslFree<Free>>;

using BioOwner = OpensslOwner<BIO, BIO_free>;
using BignumOwner = OpensslOwner<BIGNUM, BN_free>;
using MacOwner = OpensslOwner<EVP_MAC, EVP_MAC_free>;
using MacContextOwner = OpensslOwner<EVP_MAC_CTX, EVP_MAC_CTX_free>;
using DigestOwner = OpensslOwner<EVP_MD, EVP_MD_free>;
using DigestContextOwner = OpensslOwner<EVP_MD_CTX, EVP_MD_CTX_free>;
using ParamBuilderOwner = OpensslOwner<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using ParamsOwner = OpensslOwner<OSSL_PARAM, OSSL_PARAM_free>;
using PkeyOwner = OpensslOwner<EVP_PKEY, EVP_PKEY_free>;
using PkeyContextOwner = OpensslOwner<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using X509Owner = OpensslOwner<X509, X509_free>;

inline const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace roomcast::jose
