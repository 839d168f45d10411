#include "load/tls_client.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>

namespace roomcast::bench {

namespace {

/// What OpenSSL reads from and writes to. Unlike its own, it knows that a socket which gave less than asked
/// for is empty, and does not ask the kernel again before the poller has reported more: half of all the
/// calls.
struct Socket {
  int descriptor = -1;
  bool is_empty = false;
};

Socket& socket_of(BIO* bio) { return *static_cast<Socket*>(BIO_get_data(bio)); }

int give_up_for_now(BIO* bio, bool is_reading) {
  if (is_reading) {
    BIO_set_retry_read(bio);
  } else {
    BIO_set_retry_write(bio);
  }
  return -1;
}

int read_socket(BIO* bio, char* room, int bytes) {
  BIO_clear_retry_flags(bio);
  Socket& socket = socket_of(bio);
  if (socket.is_empty) return give_up_for_now(bio, true);
  const ssize_t read = ::recv(socket.descriptor, room, static_cast<std::size_t>(bytes), 0);
  if (read < 0 && errno == EAGAIN) return give_up_for_now(bio, true);
  socket.is_empty = read > 0 && read < bytes;
  return static_cast<int>(read);
}

int write_socket(BIO* bio, const char* from, int bytes) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(socket_of(bio).descriptor, from, static_cast<std::size_t>(bytes), MSG_NOSIGNAL);
  return sent < 0 && errno == EAGAIN ? give_up_for_now(bio, false) : static_cast<int>(sent);
}

long control_socket(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int free_socket(BIO* bio) {
  delete static_cast<Socket*>(BIO_get_data(bio));
  return 1;
}

BIO_METHOD* make_socket_method() {
  BIO_METHOD* const method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket");
  if (method == nullptr) throw std::bad_alloc();
  BIO_meth_set_read(method, read_socket);
  BIO_meth_set_write(method, write_socket);
  BIO_meth_set_ctrl(method, control_socket);
  BIO_meth_set_destroy(method, free_socket);
  return method;
}

}  // namespace

TlsClient::TlsClient(bool resume)
    : socket_(make_socket_method()), context_(SSL_CTX_new(TLS_client_method())) {
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
  BIO_meth_free(socket_);
}

ssl_st* TlsClient::make(int descriptor) {
  ssl_st* const connection = SSL_new(context_);
  BIO* const bio = BIO_new(socket_);
  if (connection == nullptr || bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, new Socket{descriptor});
  BIO_set_init(bio, 1);
  SSL_set_bio(connection, bio, bio);
  SSL_set_connect_state(connection);
  if (newest_ != nullptr) SSL_set_session(connection, newest_);
  return connection;
}

void TlsClient::refresh(ssl_st* connection) { socket_of(SSL_get_rbio(connection)).is_empty = false; }

void TlsClient::free(ssl_st* connection) {
  if (connection == nullptr) return;
  // Else OpenSSL takes the session of a connection that was not ended in order for a bad one.
  SSL_set_shutdown(connection, SSL_SENT_SHUTDOWN);
  SSL_free(connection);
}

int TlsClient::on_ticket(ssl_st* connection, ssl_session_st* ticket) {
  auto* const self = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
  SSL_SESSION_free(self->newest_);
  self->newest_ = ticket;
  return 1;  // it is ours now
}

}  // namespace roomcast::bench
