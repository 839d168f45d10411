#include "transport/http_stream.h"

#include <utility>

namespace roomcast::transport {

namespace {

constexpr std::size_t max_discarded_bytes = 16'384;

}  // namespace

HttpStream::HttpStream(HttpStreamShared& shared, const StreamFraming& framing, http::HandOver&& connection,
                       std::string_view opening)
    : shared_(shared),
      framing_(framing),
      stream_(std::move(connection.stream)),
      client_(std::move(connection.admission), std::move(connection.peer)),
      output_(std::move(connection.unsent), stats()),
      deadline_(shared.deadlines, *this),
      discarded_(connection.leftover.size()) {
  enqueue(framing_.start(opening));
  start_bytes_ = static_cast<std::uint32_t>(output_.bytes());
  ++stats().open;
}

HttpStream::~HttpStream() {
  --stats().open;
  output_.leave(stats());
  shared_.scheduler.forget(*this);
}

void HttpStream::start(session::TransportEvents& events) {
  events_ = &events;
  stream_->set_events(*this);
  deadline_.set_in(shared_.settings.heartbeat_ms);
  mark_dirty();
}

void HttpStream::send(const base::Bytes& wire) {
  if (state_ != State::open) return;
  enqueue(wire);
  mark_dirty();
}

void HttpStream::notify_when_drained() {
  drained_wanted_ = true;
  // A queue that is not empty is flushed anyway, in this turn or when the socket is writable.
  if (output_.empty()) mark_dirty();
}

void HttpStream::close(base::CloseReason reason, std::string_view text) {
  if (state_ != State::open) return;
  close_code_ = events_->close_code(reason);
  finish(reason, text);
}

void HttpStream::abort() {
  state_ = State::closed;
  deadline_.clear();
}

void HttpStream::finish(base::CloseReason reason, std::string_view text) {
  reason_ = reason;
  if (reason == base::CloseReason::slow_consumer) {
    output_.drop_unsent(stats());
    // If the beginning of the body was dropped, nothing after it could be decoded.
    if (output_.wire_bytes() < start_bytes_) state_ = State::finishing;
  }
  events_->on_closing(reason, text);
  if (state_ == State::open) enqueue(framing_.end());
  state_ = State::finishing;
  deadline_.set_in(shared_.settings.close_timeout_ms);
  mark_dirty();
}

void HttpStream::on_bytes(std::span<char> bytes) {
  discarded_ += bytes.size();
  if (discarded_ > max_discarded_bytes) mark_dirty();
}

void HttpStream::on_end() {
  peer_ended_ = true;
  if (state_ == State::open) return finish(base::CloseReason::client_closed, {});
  mark_dirty();
}

void HttpStream::on_held() {
  if (state_ != State::closed) report_held_bytes();
}

void HttpStream::report_held_bytes() {
  client_.hold((output_.empty() ? 0 : output_.held_bytes()) + stream_->held_bytes(), *this);
}

void HttpStream::on_error(std::string_view /*why*/) {
  end(state_ == State::open ? base::CloseReason::connection_lost : reason_);
}

void HttpStream::on_deadline() {
  if (state_ == State::open) {
    keep_alive();
  } else {
    end(reason_);
  }
}

void HttpStream::keep_alive() {
  if (stuck_) return close(base::CloseReason::slow_consumer, "nothing was taken for websocket.ping_seconds");
  if (output_.empty()) {
    enqueue(framing_.heartbeat());
    mark_dirty();
  } else {
    stuck_ = true;
  }
  deadline_.set_in(shared_.settings.heartbeat_ms);
}

// As short as it can be: it runs for every delivery.
void HttpStream::run_at_turn_end() {
  const bool is_awaited = state_ != State::open || drained_wanted_ || discarded_ > max_discarded_bytes;
  if (const std::size_t bytes = is_awaited ? 0 : output_.write_later(*stream_); bytes > 0) {
    stuck_ = false;
    return output_.count_written(bytes, stats());
  }
  if (state_ != State::closed) write();
}

void HttpStream::write() {
  const std::size_t waiting = output_.bytes();
  const auto result = output_.write(*stream_, stats());
  const std::size_t left = output_.bytes();
  if (left < waiting) stuck_ = false;
  if (waiting >= net::AdmissionRecord::least_bytes) report_held_bytes();
  if (result == net::WriteQueue::Flushed::more) mark_dirty();
  if (state_ == State::finishing) {
    if (left > 0) return;
    end(reason_);  // before the admission, which names the client, is given away
    return shared_.linger.add(std::move(stream_), {}, client_.take_admission(), peer_ended_);
  }
  if (discarded_ > max_discarded_bytes) {
    stream_->pause_reading();
    return close(base::CloseReason::policy_violation, "an answer without end takes nothing from its client");
  }
  if (left > 0) return look_at_rest(result);
  if (drained_wanted_) {
    drained_wanted_ = false;
    events_->on_drained();
  }
}

void HttpStream::on_write_incomplete(base::Bytes&& rest, bool is_started) {
  if (state_ == State::closed) return;
  output_.put_back(std::move(rest), is_started, stats());
  report_held_bytes();
  look_at_rest(net::WriteQueue::Flushed::blocked);
}

/// After a write that left something queued.
void HttpStream::look_at_rest(net::WriteQueue::Flushed result) {
  if (state_ != State::open) return;
  const auto pressure = output_.pressure(result, shared_.settings.queue_bytes);
  if (pressure == Outgoing::Pressure::exceeded) return close(base::CloseReason::slow_consumer, {});
  if (pressure == Outgoing::Pressure::congested) events_->on_congested();
}

void HttpStream::shed() {
  output_.drop_unsent(stats());  // before the goodbye, which still goes
  close(base::CloseReason::slow_consumer, "memory is short, and this connection held much of it");
  mark_dirty();
}

void HttpStream::end(base::CloseReason reason) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  deadline_.clear();
  events_->on_closed(reason);
}

}  // namespace roomcast::transport
