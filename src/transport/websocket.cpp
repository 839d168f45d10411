#include "transport/websocket.h"

#include <algorithm>
#include <utility>

#include "ws/fault.h"
#include "ws/frame_writer.h"

namespace roomcast::transport {

WebSocketShared::WebSocketShared(base::Scheduler& scheduler_, base::Deadlines& deadlines_,
                                 net::Linger& linger_, WebSocketFramings& framings_,
                                 const WebSocketSettings& settings_)
    : scheduler(scheduler_),
      deadlines(deadlines_),
      linger(linger_),
      framings(framings_),
      settings(settings_),
      readers_(profiles_with(settings.reader)),
      enveloped_readers_(profiles_with(settings.enveloped_reader)) {
  std::string ping;
  ws::append_frame(ping, ws::Opcode::ping, {});
  ping_frame = base::Bytes::copy_of(ping);
}

WebSocketShared::Profiles WebSocketShared::profiles_with(const ws::ReaderLimits& limits) {
  return {{{limits},
           {limits, &inflaters, ws::ContextTakeover::no},
           {limits, &inflaters, ws::ContextTakeover::yes}}};
}

const ws::ReaderProfile& WebSocketShared::reader_for(
    bool enveloped, const std::optional<ws::DeflateParameters>& deflate) const {
  const Profiles& profiles = enveloped ? enveloped_readers_ : readers_;
  if (!deflate) return profiles[0];
  return profiles[deflate->client_context_takeover ? 2 : 1];
}

WebSocket::WebSocket(WebSocketShared& shared, http::HandOver&& connection,
                     const std::optional<ws::DeflateParameters>& deflate, const WebSocketOptions& options)
    : shared_(shared),
      stream_(std::move(connection.stream)),
      output_(std::move(connection.unsent), shared.stats),
      reader_(shared.reader_for(options.enveloped, deflate)),
      window_bits_(static_cast<std::uint8_t>(deflate ? deflate->server_max_window_bits : 0) & 15U),
      sends_pings_(options.sends_pings),
      client_(std::move(connection.admission), std::move(connection.peer)),
      deadline_(shared.deadlines, *this) {
  if (!connection.leftover.empty()) held_ = std::make_unique<Held>(*this, std::move(connection.leftover));
  ++shared_.stats.open;
}

WebSocket::~WebSocket() {
  --shared_.stats.open;
  output_.leave(shared_.stats);
  drop_held();
  shared_.scheduler.forget(*this);
}

void WebSocket::start(session::TransportEvents& events) {
  events_ = &events;
  stream_->set_events(*this);
  deadline_.set_in(shared_.settings.ping_ms);
  if (held_) shared_.scheduler.mark_dirty(*held_);
  if (!output_.empty()) mark_dirty();
}

void WebSocket::send(const base::Bytes& wire) {
  if (state_ != State::open) return;
  output_.push(wire, shared_.stats);
  stream_->prefetch_for_write();
  mark_dirty();
}

void WebSocket::notify_when_drained() {
  drained_wanted_ = true;
  // A queue that is not empty is flushed anyway, in this turn or when the socket is writable.
  if (output_.empty()) mark_dirty();
}

void WebSocket::pause() {
  if (paused_ || state_ != State::open) return;
  paused_ = true;
  stream_->pause_reading();
}

void WebSocket::resume() {
  if (!paused_) return;
  paused_ = false;
  if (held_) {
    shared_.scheduler.mark_deferred(*held_);
  } else {
    stream_->resume_reading();
  }
}

void WebSocket::close(base::CloseReason reason, std::string_view text) {
  if (state_ != State::open) return;
  if (reason == base::CloseReason::slow_consumer) output_.drop_unsent(shared_.stats);
  const std::string_view default_text = base::describe(reason).text;
  begin_closing(reason, events_->close_code(reason), text.empty() ? default_text : text, State::closing);
}

void WebSocket::abort() {
  state_ = State::closed;
  deadline_.clear();
}

session::Traffic WebSocket::traffic() const {
  return {messages_in_, payload_bytes_in_, output_.wire_bytes()};
}

void WebSocket::report_held_bytes() {
  std::size_t bytes = reader_.held_bytes() + events_->held_bytes() + stream_->held_bytes();
  // Small queues are about to be written and not counted.
  if (output_.bytes() >= net::AdmissionRecord::least_bytes) bytes += output_.held_bytes();
  if (held_) bytes += held_->bytes.capacity();
  client_.hold(bytes, *this);
}

void WebSocket::shed() {
  output_.drop_unsent(shared_.stats);  // before the goodbye, which still goes
  close(base::CloseReason::slow_consumer, "memory is short, and this connection held much of it");
  drop_held();
  std::span<char> nothing;
  (void)reader_.next(nothing);  // frees a message that has begun
  mark_dirty();
}

void WebSocket::begin_closing(base::CloseReason reason, std::uint16_t code, std::string_view text,
                              State next) {
  // While the state is open: what the session sends from here goes before the close frame.
  events_->on_closing(reason, text);
  reason_ = reason;
  close_code_ = code;
  state_ = next;
  std::string frame;
  ws::append_close(frame, static_cast<ws::CloseCode>(code), text);
  output_.push(base::Bytes::copy_of(frame), shared_.stats);
  mark_dirty();
  deadline_.set_in(shared_.settings.close_timeout_ms);
  // Messages are ignored from here on, but the peer's close frame must still be read.
  reader_.skip_messages();
  resume();
  if (held_ && held_->is_end) shared_.scheduler.mark_deferred(*held_);
}

void WebSocket::on_end() {
  peer_ended_ = true;
  // What was received before is handled first; the end follows it.
  if (!held_ && state_ == State::open) hold({}, nullptr);
  if (!held_) end_of_input();
}

void WebSocket::end_of_input() {
  if (state_ == State::closed) return;
  // No answer can come any more, but a peer that closed only its sending half still gets what is queued, and
  // a close frame behind it.
  if (state_ == State::open) {
    const auto code = static_cast<std::uint16_t>(ws::CloseCode::normal);
    return begin_closing(base::CloseReason::connection_lost, code, {}, State::finishing);
  }
  state_ = State::finishing;
  mark_dirty();
}

void WebSocket::on_writable() { mark_dirty(); }

void WebSocket::on_held() {
  if (state_ != State::closed) report_held_bytes();
}

void WebSocket::on_error(std::string_view /*why*/) {
  read_held();
  // A close frame right behind messages: there is no later turn for it.
  if (held_ && (held_->close_code || held_->is_end)) handle_held_end();
  drop_held();
  end(state_ == State::open ? base::CloseReason::connection_lost : reason_);
}

void WebSocket::on_deadline() {
  if (state_ != State::open) return end(reason_);
  if (held_ && held_->is_end) return handle_held_end();
  keep_alive();
}

void WebSocket::keep_alive() {
  const WebSocketSettings& settings = shared_.settings;
  if (reader_.is_in_message() && reader_.begun_ms() != 0 &&
      shared_.deadlines.now_ms() - reader_.begun_ms() >= settings.message_timeout_ms) {
    return close(base::CloseReason::policy_violation,
                 "a message took longer than websocket.message_timeout_seconds");
  }
  // While reading is paused no answer can be received, but bytes that the client takes show that it is alive.
  const bool could_be_heard = !paused_ || !output_.empty();
  const auto until_next_ms = [&] {
    return std::min(settings.ping_ms, settings.pong_timeout_ms - silent_ms_);
  };
  if (awaiting_pong_ && (heard_ || !could_be_heard)) {
    awaiting_pong_ = false;
    const std::int64_t rest_ms = settings.ping_ms - settings.pong_timeout_ms;
    if (rest_ms > 0) return deadline_.set_in(rest_ms);
  }
  if (awaiting_pong_) {
    silent_ms_ += static_cast<std::int32_t>(until_next_ms());
    if (silent_ms_ >= settings.pong_timeout_ms) return close(base::CloseReason::ping_timeout, {});
  } else {
    silent_ms_ = 0;
  }
  if (!sends_pings_) return deadline_.set_in(settings.ping_ms);
  awaiting_pong_ = true;
  heard_ = false;
  output_.push_urgent(shared_.ping_frame, shared_.stats);
  mark_dirty();
  deadline_.set_in(until_next_ms());
}

// As short as it can be: it runs for every delivery.
void WebSocket::run_at_turn_end() {
  const bool is_awaited = state_ != State::open || paused_ || drained_wanted_;
  if (const std::size_t bytes = is_awaited ? 0 : output_.write_later(*stream_); bytes > 0)
    return output_.count_written(bytes, shared_.stats);
  if (state_ != State::closed) write();
}

void WebSocket::write() {
  const std::size_t waiting = output_.bytes();
  const auto result = output_.write(*stream_, shared_.stats);
  const std::size_t left = output_.bytes();
  if (paused_ && left < waiting) heard_ = true;
  if (left > 0) return after_write(result);
  if (waiting >= net::AdmissionRecord::least_bytes) report_held_bytes();
  if (state_ == State::finishing || state_ == State::parting) return finish();
  if (state_ == State::open && drained_wanted_) {
    drained_wanted_ = false;
    events_->on_drained();
    if (held_ && held_->is_end) read_held();
  }
}

void WebSocket::on_write_incomplete(base::Bytes&& rest, bool is_started) {
  if (state_ == State::closed) return;
  output_.put_back(std::move(rest), is_started, shared_.stats);
  after_write(net::WriteQueue::Flushed::blocked);
}

/// After a write that left something queued.
void WebSocket::after_write(net::WriteQueue::Flushed result) {
  report_held_bytes();
  if (result == net::WriteQueue::Flushed::more) mark_dirty();
  if (state_ != State::open) return;
  const auto pressure = output_.pressure(result, shared_.settings.queue_bytes);
  if (pressure == Outgoing::Pressure::exceeded) return close(base::CloseReason::slow_consumer, {});
  if (pressure == Outgoing::Pressure::congested) events_->on_congested();
}

void WebSocket::finish() {
  const bool is_parting = state_ == State::parting;
  end(reason_);  // before the admission, which names the client, is given away
  drop_held();
  if (peer_ended_) {
    stream_->shutdown();
    stream_.reset();
  } else if (is_parting) {
    shared_.linger.add_finished(std::move(stream_), client_.take_admission());
  } else {
    shared_.linger.add(std::move(stream_), {}, client_.take_admission());
  }
}

void WebSocket::end(base::CloseReason reason) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  deadline_.clear();
  events_->on_closed(reason);
}

}  // namespace roomcast::transport
