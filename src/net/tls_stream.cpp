#include "net/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "net/record_gather.h"
#include "net/tls_error.h"

namespace roomcast::net {

namespace {

// How much ciphertext is put together before it is offered to the stream below.
constexpr std::size_t batch_bytes = 65'536;
// Past a whole batch only answers to the peer's own requests are added: one that asks and does not read.
constexpr std::size_t max_unsent_bytes = 2 * batch_bytes;

}  // namespace

void TlsStream::Free::operator()(ssl_st* connection) const { SSL_free(connection); }

TlsStream::TlsStream(TlsShared& shared, std::shared_ptr<const TlsContext> context,
                     std::unique_ptr<ByteStream> below)
    : shared_(shared),
      context_(std::move(context)),
      below_(std::move(below)),
      connection_(SSL_new(context_->native())) {
  if (!connection_) throw std::bad_alloc();
  BIO* bio = shared_.make_bio(*this);
  SSL_set_bio(connection_.get(), bio, bio);
  SSL_set_accept_state(connection_.get());
}

TlsStream::~TlsStream() { shared_.scheduler_.forget(*this); }

void TlsStream::set_events(ByteStream::Events& events) {
  const bool is_first = events_ == nullptr;
  events_ = &events;
  if (!is_first) return;
  base::Deadline::Listener& listener = *this;
  deadline_.emplace(shared_.deadlines_, listener);
  deadline_->set_in(shared_.handshake_timeout_ms_);
  below_->set_events(*this);
}

void TlsStream::pause_reading() {
  paused_ = true;
  if (state_ == State::open) below_->pause_reading();
}

void TlsStream::resume_reading() {
  // The flush delivers what is already decrypted or kept before it lets more come in from below.
  paused_ = false;
  if (state_ == State::open) shared_.scheduler_.mark_dirty(*this);
}

std::size_t TlsStream::write(std::span<const std::string_view> pieces) {
  RecordGather gather(pieces, shared_.joining_);
  std::size_t taken = 0;
  while (state_ == State::open && unsent_.empty() && !shut_down_) {
    const std::string_view plaintext = gather.next();
    if (!plaintext.empty()) {
      if (!encrypt(plaintext)) return 0;
      taken += plaintext.size();
    }
    if (plaintext.empty() || shared_.records_.size() >= batch_bytes) send_records();
    if (plaintext.empty()) return taken;
  }
  blocked_ = blocked_ || !gather.is_done();
  return taken;
}

bool TlsStream::encrypt(std::string_view plaintext) {
  ERR_clear_error();
  std::size_t written = 0;
  if (SSL_write_ex(connection_.get(), plaintext.data(), plaintext.size(), &written) == 1) return true;
  shared_.records_.clear();
  fail_later("cannot encrypt: " + take_openssl_error());
  return false;
}

void TlsStream::shutdown() {
  if (std::exchange(shut_down_, true)) return;
  if (state_ == State::open) {
    ERR_clear_error();
    (void)SSL_shutdown(connection_.get());  // puts the close_notify into the records
    ERR_clear_error();
    send_records();
  }
  if (unsent_.empty()) below_->shutdown();
}

void TlsStream::on_bytes(std::span<char> bytes) {
  if (state_ == State::failed) return;
  if (state_ == State::handshake) {
    kept_input_.append(bytes.data(), bytes.size());
    below_->pause_reading();
    shared_.scheduler_.mark_dirty(*this);
    return;
  }
  input_ = bytes;
  read_plaintext();
  kept_input_.assign(input_.begin(), input_.end());
  input_ = {};
}

void TlsStream::on_end() {
  if (state_ == State::handshake) return fail("connection closed during the TLS handshake");
  if (state_ == State::failed || ended_) return;
  if (!shut_down_) return fail("connection ended without close_notify");
  on_peer_finished();
}

void TlsStream::on_error(std::string_view why) { fail(error_.empty() ? std::string(why) : error_); }

void TlsStream::on_deadline() {
  fail("TLS handshake not completed within " + std::to_string(shared_.handshake_timeout_ms_) + " ms");
}

void TlsStream::on_writable() {
  const std::string_view rest = unsent_;
  const std::size_t sent = below_->write({&rest, 1});
  unsent_.erase(0, sent);
  if (!unsent_.empty()) return;
  unsent_ = {};  // a connection at rest keeps no buffer
  if (shut_down_) return below_->shutdown();
  if (state_ == State::open && std::exchange(blocked_, false)) events_->on_writable();
}

void TlsStream::flush() {
  if (!error_.empty()) return fail(error_);
  if (state_ == State::handshake) do_handshake();
  if (state_ != State::open) return;
  const std::string input = std::exchange(kept_input_, {});
  input_ = input;
  read_plaintext();
  kept_input_.assign(input_.begin(), input_.end());
  input_ = {};
  if (state_ == State::open && !paused_ && !ended_) below_->resume_reading();
}

void TlsStream::do_handshake() {
  ERR_clear_error();
  input_ = kept_input_;
  const int status = SSL_accept(connection_.get());
  const int error = SSL_get_error(connection_.get(), status);
  kept_input_.erase(0, kept_input_.size() - input_.size());
  input_ = {};
  send_records();
  if (state_ == State::failed) return;
  if (status == 1) {
    state_ = State::open;
    deadline_.reset();
    ++shared_.stats_.handshakes_ok;
    if (SSL_session_reused(connection_.get()) == 1) ++shared_.stats_.handshakes_resumed;
    if (unsent_.empty() && std::exchange(blocked_, false)) events_->on_writable();
  } else if (error == SSL_ERROR_WANT_READ) {
    below_->resume_reading();
  } else {
    fail("TLS handshake failed: " + take_openssl_error());
  }
}

void TlsStream::read_plaintext() {
  while (state_ == State::open && !paused_ && !ended_) {
    ERR_clear_error();
    std::size_t count = 0;
    auto& buffer = shared_.decrypted_;
    const int status = SSL_read_ex(connection_.get(), buffer.data(), buffer.size(), &count);
    const int error = SSL_get_error(connection_.get(), status);
    send_records();
    if (status == 1) {
      events_->on_bytes(std::span(buffer).first(count));
    } else if (error == SSL_ERROR_WANT_READ) {
      return;
    } else if (error == SSL_ERROR_ZERO_RETURN) {
      return on_peer_finished();
    } else {
      return fail("TLS failed: " + take_openssl_error());
    }
  }
}

void TlsStream::on_peer_finished() {
  ended_ = true;
  below_->pause_reading();
  events_->on_end();
}

std::size_t TlsStream::take_input(char* into, std::size_t size) {
  const std::size_t count = std::min(size, input_.size());
  if (count > 0) std::memcpy(into, input_.data(), count);
  input_ = input_.subspan(count);
  return count;
}

void TlsStream::put_output(std::string_view records) { shared_.records_.append(records); }

void TlsStream::send_records() {
  std::string& records = shared_.records_;
  if (records.empty()) return;
  std::size_t sent = 0;
  if (unsent_.empty()) {
    const std::string_view whole = records;
    sent = below_->write({&whole, 1});
  }
  unsent_.append(records, sent);
  records.clear();
  if (unsent_.size() > max_unsent_bytes) fail_later("the peer does not read what it asks for");
}

void TlsStream::fail_later(std::string why) {
  state_ = State::failed;
  error_ = std::move(why);
  shared_.scheduler_.mark_dirty(*this);
}

void TlsStream::fail(const std::string& why) {
  if (std::exchange(dead_, true)) return;
  if (deadline_) ++shared_.stats_.handshakes_failed;
  deadline_.reset();
  state_ = State::failed;
  below_->pause_reading();
  events_->on_error(why);
}

}  // namespace roomcast::net
