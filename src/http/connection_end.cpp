// How an HTTP connection applies back-pressure, and how it ends or is handed over.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/connection.h"

namespace roomcast::http {

namespace {

/// The status class of a complete response head, which begins as "HTTP/1.1 200".
std::size_t status_class_of(std::string_view head) {
  constexpr std::size_t before_status = 9;
  return static_cast<std::size_t>(head.at(before_status) - '0');
}

}  // namespace

void Connection::discard(std::size_t count) {
  // A read cannot overflow this, and beyond the limit reading stops.
  discarded_ += static_cast<std::uint32_t>(count);
  if (discarded_ <= environment_.settings.linger_bytes) return;
  if (phase_ == Phase::lingering) return finish();
  pace_reading();
}

/// Closes so that the client receives the response: a close with unread input would send a reset (RFC 9112
/// section 9.6).
void Connection::linger() {
  if (phase_ == Phase::closing) {
    stream_->shutdown();
    enter(Phase::lingering);
    admission_.wait(net::Wait::next_request, *this);
  }
  const bool too_much = discarded_ > environment_.settings.linger_bytes;
  if (too_much || (peer_ended_ && stream_->buffered_bytes() == 0)) return finish();
  pace_reading();
}

void Connection::pace_reading() {
  const auto& settings = environment_.settings;
  // What waits for the gate may be handed over afterwards: its new owner has to see the end of the input.
  const bool pause = phase_ == Phase::closing
                         ? discarded_ > settings.linger_bytes
                         : postponed_ || at_gate_ || backlog_.size() >= settings.read_ahead_bytes;
  if (pause == reading_paused_) return;
  reading_paused_ = pause;
  if (pause) {
    stream_->pause_reading();
  } else {
    stream_->resume_reading();
  }
}

void Connection::drain() {
  if (phase_ != Phase::idle || !backlog_.empty()) return;
  if (queue_.empty()) return finish();
  enter(Phase::closing);
}

void Connection::abort() {
  if (phase_ != Phase::ended) finish();
}

/// Releases the admission immediately, not when this is freed: another connection may need it.
void Connection::shed() {
  abort();
  admission_ = {};
}

std::optional<HandOver> Connection::take_over_deferred(std::string_view head) {
  if (!peer_ended_) return take_over(head);
  abandon_answer();
  if (!processing_) settle();
  return std::nullopt;
}

HandOver Connection::take_over(std::string_view head) {
  ++environment_.stats.answers.at(status_class_of(head));
  // Usually the head is sent at once and need not be queued.
  const std::size_t sent = queue_.empty() ? stream_->write({&head, 1}) : 0;
  if (sent < head.size()) {
    queue_.push(base::Bytes::copy_of(head.substr(sent)));
    queue_.flush(*stream_);
  }
  if (reading_paused_) stream_->resume_reading();
  admission_.release();
  HandOver hand_over{std::move(stream_), std::move(queue_),
                     processing_ ? std::string(input_) : std::move(backlog_), std::move(admission_),
                     std::move(request_.client.address)};
  parser_.reset();
  finish();
  return hand_over;
}

void Connection::finish() {
  phase_ = Phase::ended;
  deadline_.clear();
  forget_answer();
  environment_.owner.on_ended(id_);
}

}  // namespace roomcast::http
