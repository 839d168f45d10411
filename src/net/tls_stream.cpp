#include "net/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "net/admission_record.h"
#include "net/gather.h"
#include "net/tls_context.h"

namespace roomcast::net {

namespace {

// The amount of ciphertext that is collected before it is offered to the stream below.
constexpr std::size_t batch_bytes = 65'536;
// Beyond batch_bytes only responses of the protocol are added: to a peer that causes them and does not read.
constexpr std::size_t max_unsent_bytes = 2 * batch_bytes;

// The cost of records in units of a WorkAllowance: a fixed part for each, and its bytes. A record without
// data changes keys, and is perhaps answered by one of ours: some 40 microseconds.
constexpr std::size_t record_units = 1'024;
constexpr std::size_t bytes_per_unit = 4;
constexpr std::size_t idle_record_units = 32'768;

constexpr std::string_view too_many_idle_records = "more than 32 TLS records without data in a row";
static_assert(TlsStream::max_idle_records == 32);

constexpr std::string_view without_tls = "plain HTTP request on a TLS port, or another protocol";
constexpr std::int64_t refused_linger_ms = 2'000;

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/// The type of a record (RFC 8446 section 5.1).
bool is_record_type(char c) { return c >= 20 && c <= 24; }

std::string handshake_error(SSL* connection) {
  std::string why = take_openssl_error();
  const long verdict = SSL_get_verify_result(connection);
  if (verdict != X509_V_OK) why.append(": ").append(X509_verify_cert_error_string(verdict));
  return why;
}

}  // namespace

void TlsStream::Free::operator()(ssl_st* connection) const { SSL_free(connection); }

TlsStream::TlsStream(TlsShared& shared, std::shared_ptr<const TlsContext> context,
                     std::unique_ptr<ByteStream> below, std::string_view peer)
    : TlsStream(shared, Connection(SSL_new(context->native())), std::move(below)) {
  SSL_set_accept_state(connection_.get());
  handshake_->context = std::move(context);
  handshake_->peer = peer;
}

TlsStream::TlsStream(TlsShared& shared, Connection connection, std::unique_ptr<ByteStream> below)
    : shared_(shared),
      below_(std::move(below)),
      connection_(std::move(connection)),
      handshake_(std::make_unique<Handshake>()) {
  static_assert(sizeof(TlsStream) <= 104, "every connection pays for this");
  if (!connection_) throw std::bad_alloc();
  shared_.count_records(connection_.get());
  BIO* bio = shared_.make_bio();
  SSL_set_bio(connection_.get(), bio, bio);
}

TlsStream::~TlsStream() { shared_.scheduler_.forget(*this); }

void TlsStream::set_events(ByteStream::Events& events) {
  const bool is_first = events_ == nullptr;
  events_ = &events;
  if (!is_first) return;
  base::Deadline::Listener& listener = *this;
  handshake_->deadline.emplace(shared_.deadlines_, listener);
  handshake_->timeout_ms = shared_.handshake_timeout_ms_;
  handshake_->deadline->set_in(handshake_->timeout_ms);
  below_->set_events(*this);
  // A client speaks first.
  if (handshake_->context == nullptr) shared_.scheduler_.mark_dirty(*this);
}

void TlsStream::pause_reading() {
  paused_ = true;
  if (state_ == State::open) below_->pause_reading();
}

void TlsStream::resume_reading() {
  // The flush first delivers input that is decrypted or kept, then resumes reading.
  paused_ = false;
  if (state_ != State::open) return;
  if (has_input()) return shared_.scheduler_.mark_deferred(*this);
  shared_.scheduler_.mark_dirty(*this);
}

std::size_t TlsStream::write(std::span<const std::string_view> pieces) {
  RecordGather gather(pieces, shared_.joining_);
  std::size_t taken = 0;
  while (state_ == State::open && !has_unsent() && !shut_down_) {
    const std::string_view plaintext = gather.next();
    if (!plaintext.empty()) {
      // A record that is written alone is not copied.
      const bool is_alone = gather.is_done() && shared_.records_.empty() && !handshake_;
      if (!encrypt(plaintext, is_alone)) return 0;
      taken += plaintext.size();
    }
    if (plaintext.empty() || shared_.records_.size() >= batch_bytes) send_records();
    if (plaintext.empty()) return taken;
  }
  blocked_ = blocked_ || !gather.is_done();
  return taken;
}

bool TlsStream::encrypt(std::string_view plaintext, bool at_once) {
  std::size_t written = 0;
  shared_.straight_to_ = at_once ? below_.get() : nullptr;
  const int status = SSL_write_ex(connection_.get(), plaintext.data(), plaintext.size(), &written);
  shared_.straight_to_ = nullptr;
  if (status == 1) return true;
  shared_.records_.clear();
  fail_later("cannot encrypt: " + take_openssl_error());
  return false;
}

void TlsStream::shutdown() {
  if (std::exchange(shut_down_, true)) return;
  send_close_notify();
  if (!has_unsent()) below_->shutdown();
}

bool TlsStream::shutdown_unwatched() {
  if (std::exchange(shut_down_, true)) return false;
  send_close_notify();
  if (has_unsent()) return false;
  if (state_ != State::failed && below_->shutdown_unwatched()) return true;
  below_->shutdown();
  return false;
}

void TlsStream::send_close_notify() {
  if (state_ != State::open) return;
  ERR_clear_error();
  (void)SSL_shutdown(connection_.get());  // appends the close_notify to the records
  ERR_clear_error();
  send_records();
}

void TlsStream::on_bytes(std::span<char> bytes) {
  if (state_ == State::failed || state_ == State::refused) return;
  if (ended_) return below_->pause_reading();  // input after the end of the peer is irrelevant
  const bool is_open = state_ == State::open;
  const bool has_to_wait = paused_ || has_input() || costly_.is_so(shared_.deadlines_.now_ms());
  const std::size_t held = held_bytes();
  if (is_open && !has_to_wait) {
    read_plaintext(bytes, shared_.scheduler_.first_allowance());
    return report_held(held);
  }
  // Reading continues during the handshake: stopping and restarting it in each step would cost more than
  // everything else here.
  if (is_open || has_input()) below_->pause_reading();
  keep_input(bytes);
  report_held(held);
  // A step takes as long as hundreds of messages.
  shared_.scheduler_.mark_deferred(*this);
}

void TlsStream::on_end() {
  // Earlier input is read first.
  end_waits_ = has_input();
  if (end_waits_ || state_ == State::failed || ended_) return;
  if (state_ == State::refused) {
    // Otherwise the deadline ends it.
    if (!has_unsent()) fail(std::string(without_tls));
    return;
  }
  if (state_ == State::handshake) return fail("connection closed during the TLS handshake");
  if (!shut_down_) return fail("connection ended without close_notify");
  on_peer_finished();
}

void TlsStream::on_error(std::string_view why) {
  const std::string own = take_waiting(&Waiting::error);
  fail(own.empty() ? std::string(why) : own);
}

void TlsStream::on_deadline() {
  if (state_ == State::refused) return fail(std::string(without_tls));
  fail("TLS handshake not completed within " + std::to_string(handshake_->timeout_ms) + " ms");
}

void TlsStream::on_writable() {
  const std::size_t held = held_bytes();
  std::string unsent = take_waiting(&Waiting::unsent);
  const std::string_view rest = unsent;
  const std::size_t sent = below_->write({&rest, 1});
  if (sent < unsent.size()) {
    waiting().unsent = std::move(unsent.erase(0, sent));
    return;
  }
  report_held(held);
  if (shut_down_) return below_->shutdown();
  if (state_ == State::open && std::exchange(blocked_, false)) events_->on_writable();
}

void TlsStream::run_at_turn_end() {
  const std::string error = take_waiting(&Waiting::error);
  if (!error.empty()) return fail(error);
  if (state_ == State::handshake) do_handshake();
  if (state_ == State::open) {
    if (!paused_ && !ended_) {
      const std::size_t held = held_bytes();
      read_plaintext(take_waiting(&Waiting::input), shared_.scheduler_.later_allowance());
      report_held(held);
    }
    if (handshake_) finish_handshake();
    if (state_ == State::open && !paused_ && !ended_ && !has_input()) below_->resume_reading();
  }
  if (end_waits_ && !paused_) on_end();
}

bool TlsStream::is_without_tls(std::string_view input) {
  if (input.empty() || std::exchange(handshake_->has_begun, true)) return false;
  // A client's first byte may also be that of an SSL 2 hello, at least 128, or anything that isn't answered.
  return handshake_->context != nullptr ? is_letter(input.front()) : !is_record_type(input.front());
}

void TlsStream::do_handshake() {
  ERR_clear_error();
  const std::string input = take_waiting(&Waiting::input);
  const bool is_client = handshake_->context == nullptr;
  if (is_without_tls(input)) return is_client ? fail("the server does not use TLS") : refuse_without_tls();
  shared_.input_ = input;
  shared_.reads_left_ = TlsShared::reads_per_record * max_idle_records;
  const int status = SSL_do_handshake(connection_.get());
  const int error = SSL_get_error(connection_.get(), status);
  const auto rest = std::exchange(shared_.input_, {});
  if (!rest.empty()) keep_input(rest);
  if (status == 1) {
    state_ = State::open;
    handshake_->deadline.reset();
    handshake_->last_flight = shared_.records_;
    shared_.records_.clear();
    if (is_client) return;
    ++shared_.stats_.handshakes_ok;
    if (SSL_session_reused(connection_.get()) == 1) ++shared_.stats_.handshakes_resumed;
    return;
  }
  send_records();
  if (state_ == State::failed) return;
  if (error != SSL_ERROR_WANT_READ)
    return fail("TLS handshake failed: " + handshake_error(connection_.get()));
  if (!rest.empty()) return fail("TLS handshake failed: " + std::string(too_many_idle_records));
  below_->resume_reading();
}

void TlsStream::refuse_without_tls() {
  state_ = State::refused;
  if (shared_.without_tls_.notify) shared_.without_tls_.notify(handshake_->peer);
  shared_.records_ = shared_.without_tls_.answer;
  send_records();
  // Closing with unread input would send a reset, which can overtake the response.
  shut_down_ = true;
  if (!has_unsent()) below_->shutdown();
  handshake_->deadline->set_in(refused_linger_ms);
  below_->resume_reading();
}

void TlsStream::finish_handshake() {
  if (state_ == State::open) send_records();
  handshake_.reset();
  if (state_ == State::open && !has_unsent() && std::exchange(blocked_, false)) events_->on_writable();
}

void TlsStream::keep_input(std::span<const char> bytes) {
  waiting().input.append(bytes.data(), bytes.size());
}

void TlsStream::read_plaintext(std::span<const char> input, base::WorkAllowance allowance) {
  shared_.input_ = input;
  std::size_t plaintext = 0;
  Record last{};
  do {
    last = read_record(plaintext, allowance);
  } while ((last == Record::data || last == Record::other) && !allowance.is_used_up() &&
           plaintext + TlsShared::record_bytes <= shared_.decrypted_.size());
  if (!shared_.records_.empty()) send_records();
  std::string why;
  if (last == Record::broken) {
    const bool is_idle = idle_records_ > max_idle_records + 1;
    why = is_idle ? std::string(too_many_idle_records) : "TLS failed: " + take_openssl_error();
  }
  const auto rest = std::exchange(shared_.input_, {});
  if (!rest.empty()) {
    below_->pause_reading();
    // Input after the end of the peer is irrelevant.
    if (last == Record::data || last == Record::other) {
      keep_input(rest);
      costly_.note(shared_.deadlines_.now_ms());
      shared_.scheduler_.mark_deferred(*this);
    }
  }
  // The owner may call anything within on_bytes, but not destroy this.
  if (plaintext > 0) events_->on_bytes(std::span(shared_.decrypted_).first(plaintext));
  if (last == Record::broken) return fail(why);
  if (last == Record::finished && state_ == State::open && !paused_) on_peer_finished();
}

TlsStream::Record TlsStream::read_record(std::size_t& plaintext, base::WorkAllowance& allowance) {
  ERR_clear_error();
  const auto room = std::span(shared_.decrypted_).subspan(plaintext);
  std::size_t count = 0;
  shared_.reads_left_ = TlsShared::reads_per_record;
  shared_.records_read_ = 0;
  const int status = SSL_read_ex(connection_.get(), room.data(), room.size(), &count);
  idle_records_ = static_cast<std::uint8_t>(idle_records_ + shared_.records_read_);
  // The last record may still bring data.
  if (idle_records_ > max_idle_records + 1) return Record::broken;
  if (status == 1) {
    idle_records_ = 0;
    plaintext += count;
    allowance.spend(record_units + count / bytes_per_unit);
    return Record::data;
  }
  const int error = SSL_get_error(connection_.get(), status);
  if (error == SSL_ERROR_ZERO_RETURN) return Record::finished;
  if (error != SSL_ERROR_WANT_READ) return Record::broken;
  if (shared_.input_.empty()) return Record::incomplete;
  allowance.spend(idle_record_units);
  return Record::other;
}

void TlsStream::on_peer_finished() {
  ended_ = true;
  events_->on_end();
}

void TlsStream::send_records() {
  std::string& records = shared_.records_;
  if (handshake_ && !handshake_->last_flight.empty()) {
    records.insert(0, std::exchange(handshake_->last_flight, {}));
  }
  if (records.empty()) return;
  std::size_t sent = 0;
  if (!has_unsent()) {
    const std::string_view whole = records;
    sent = below_->write({&whole, 1});
  }
  if (sent < records.size()) waiting().unsent.append(records, sent);
  records.clear();
  if (buffered_bytes() > max_unsent_bytes) fail_later("the peer does not read what it asks for");
}

void TlsStream::fail_later(std::string why) {
  state_ = State::failed;
  waiting().error = std::move(why);
  shared_.scheduler_.mark_dirty(*this);
}

void TlsStream::fail(const std::string& why) {
  if (std::exchange(dead_, true)) return;
  if (handshake_ && handshake_->deadline) {
    if (handshake_->context != nullptr) ++shared_.stats_.handshakes_failed;
    handshake_->deadline.reset();
  }
  state_ = State::failed;
  below_->pause_reading();
  events_->on_error(why);
}

void TlsStream::report_held(std::size_t before) {
  const std::size_t now = held_bytes();
  if (now != before && std::max(now, before) >= AdmissionRecord::least_bytes && !dead_) events_->on_held();
}

TlsStream::Waiting& TlsStream::waiting() {
  if (!waiting_) waiting_ = std::make_unique<Waiting>();
  return *waiting_;
}

std::string TlsStream::take_waiting(std::string Waiting::*kind) {
  if (!waiting_) return {};
  std::string taken = std::exchange((*waiting_).*kind, {});
  if (waiting_->input.empty() && waiting_->unsent.empty() && waiting_->error.empty()) waiting_.reset();
  return taken;
}

}  // namespace roomcast::net
