#include "net/tls_ticket_keys.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <stdexcept>

#include "net/tls_error.h"

namespace roomcast::net {

TicketKeys::~TicketKeys() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

void TicketKeys::renew() {
  if (RAND_priv_bytes(bytes_.data(), static_cast<int>(bytes_.size())) != 1) {
    throw std::runtime_error("no random ticket keys: " + take_openssl_error());
  }
}

void TicketKeys::give_to(ssl_ctx_st* context) const {
  // OpenSSL only reads them, but its macro takes a void*.
  auto* bytes = const_cast<unsigned char*>(bytes_.data());
  if (SSL_CTX_set_tlsext_ticket_keys(context, bytes, static_cast<long>(bytes_.size())) != 1) {
    throw std::runtime_error("ticket keys not taken: " + take_openssl_error());
  }
}

}  // namespace roomcast::net
