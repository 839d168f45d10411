#include "load/tls_client.h"

#include <openssl/ssl.h>

#include <new>

namespace roomcast::bench {

TlsClient::TlsClient(bool resume) : context_(SSL_CTX_new(TLS_client_method())) {
  if (context_ == nullptr) throw std::bad_alloc();
  SSL_CTX_set_verify(context_, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // One read(2) for a record instead of one for its head and one for the rest.
  SSL_CTX_set_read_ahead(context_, 1);
  if (!resume) {
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
    return;
  }
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(context_, this);
  SSL_CTX_sess_set_new_cb(context_, &TlsClient::on_ticket);
}

TlsClient::~TlsClient() {
  SSL_SESSION_free(newest_);
  SSL_CTX_free(context_);
}

ssl_st* TlsClient::make(int descriptor) {
  ssl_st* const connection = SSL_new(context_);
  if (connection == nullptr || SSL_set_fd(connection, descriptor) != 1) throw std::bad_alloc();
  SSL_set_connect_state(connection);
  if (newest_ != nullptr) SSL_set_session(connection, newest_);
  return connection;
}

int TlsClient::on_ticket(ssl_st* connection, ssl_session_st* ticket) {
  auto* const self = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
  SSL_SESSION_free(self->newest_);
  self->newest_ = ticket;
  return 1;  // it is ours now
}

}  // namespace roomcast::bench
