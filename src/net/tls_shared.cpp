#include "net/tls_shared.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "net/tls_context.h"
#include "net/tls_stream.h"

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

namespace {

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

}  // namespace

TlsShared::TlsShared(base::Scheduler& scheduler, base::Deadlines& deadlines)
    : scheduler_(scheduler),
      deadlines_(deadlines),
      decrypted_(plaintext_bytes),
      joining_(record_bytes),
      method_(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "roomcast stream")) {
  if (!method_) throw std::bad_alloc();
  BIO_meth_set_create(method_.get(), create);
  BIO_meth_set_ctrl(method_.get(), control);
  BIO_meth_set_read_ex(method_.get(), [](BIO* bio, char* into, std::size_t size, std::size_t* count) {
    BIO_clear_retry_flags(bio);
    *count = static_cast<TlsShared*>(BIO_get_data(bio))->take_input(into, size);
    if (*count == 0) BIO_set_retry_read(bio);
    return *count == 0 ? 0 : 1;
  });
  BIO_meth_set_write_ex(method_.get(), [](BIO* bio, const char* from, std::size_t size, std::size_t* count) {
    BIO_clear_retry_flags(bio);
    static_cast<TlsShared*>(BIO_get_data(bio))->take_record({from, size});
    *count = size;
    return 1;
  });
}

TlsShared::~TlsShared() = default;

void TlsShared::FreeMethod::operator()(bio_method_st* method) const { BIO_meth_free(method); }

bio_st* TlsShared::make_bio() {
  BIO* bio = BIO_new(method_.get());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  return bio;
}

std::size_t TlsShared::take_input(char* into, std::size_t size) {
  if (reads_left_ == 0) return 0;
  --reads_left_;
  const std::size_t count = std::min(size, input_.size());
  if (count > 0) std::memcpy(into, input_.data(), count);
  input_ = input_.subspan(count);
  return count;
}

void TlsShared::count_records(ssl_st* connection) {
  SSL_set_msg_callback_arg(connection, this);
  SSL_set_msg_callback(connection, [](int is_written, int /*version*/, int type, const void* /*text*/,
                                      std::size_t /*size*/, SSL* /*connection*/, void* self) {
    if (is_written == 0 && type == SSL3_RT_HEADER) ++static_cast<TlsShared*>(self)->records_read_;
  });
}

void TlsShared::take_record(std::string_view record) {
  const std::size_t sent = straight_to_ == nullptr ? 0 : straight_to_->write({&record, 1});
  records_.append(record.substr(sent));
}

TlsWrapper::TlsWrapper(TlsShared& shared, std::shared_ptr<const TlsContext> context)
    : shared_(shared), ticket_keys_end_(shared.deadlines_, *this) {
  set_context(std::move(context));
  ticket_keys_end_.set_in(TicketKeys::lifetime_ms);
}

std::unique_ptr<ByteStream> TlsWrapper::wrap(std::unique_ptr<ByteStream> stream, std::string_view peer) {
  return std::make_unique<TlsStream>(shared_, context_, std::move(stream), peer);
}

void TlsWrapper::set_context(std::shared_ptr<const TlsContext> context) {
  context_ = std::move(context);
  ticket_keys_.give_to(context_->native());
}

void TlsWrapper::on_deadline() {
  ticket_keys_.renew();
  ticket_keys_.give_to(context_->native());
  ticket_keys_end_.set_in(TicketKeys::lifetime_ms);
}

}  // namespace roomcast::net
