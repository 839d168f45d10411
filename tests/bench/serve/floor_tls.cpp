#include "serve/floor_tls.h"

#include <openssl/ssl.h>

#include <array>
#include <stdexcept>

#include "serve/certificate.h"

namespace roomcast::bench::floor {

namespace {

constexpr std::array<unsigned char, 9> http_1_1{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int choose_protocol(SSL* /*connection*/, const unsigned char** chosen, unsigned char* chosen_bytes,
                    const unsigned char* offered, unsigned offered_bytes, void* /*unused*/) {
  unsigned char* match = nullptr;  // in `http_1_1`, or in `offered`
  const int result =
      SSL_select_next_proto(&match, chosen_bytes, http_1_1.data(), http_1_1.size(), offered, offered_bytes);
  *chosen = match;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

void FloorTls::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

FloorTls::FloorTls() : context_(SSL_CTX_new(TLS_server_method())) {
  if (!context_) throw std::runtime_error("OpenSSL cannot be set up");
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context,
                         1);  // else each record costs two reads: its five bytes of head, and the rest
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  Certificate().use_in(context);
}

ssl_st* FloorTls::begin(int fd) const {
  SSL* const connection = SSL_new(context_.get());
  if (connection == nullptr || SSL_set_fd(connection, fd) != 1) throw std::runtime_error("SSL_new");
  SSL_set_accept_state(connection);
  return connection;
}

}  // namespace roomcast::bench::floor
