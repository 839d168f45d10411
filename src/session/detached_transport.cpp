#include "session/detached_transport.h"

#include <iterator>
#include <utility>

namespace roomcast::session {

DetachedTransport::DetachedTransport(base::Scheduler& scheduler, base::Deadlines& deadlines,
                                     const DetachLimits& limits, const Framing& framing,
                                     std::string_view peer_address)
    : scheduler_(scheduler),
      framing_(framing),
      limits_(limits),
      peer_address_(peer_address),
      deadline_(deadlines, *this) {}

DetachedTransport::~DetachedTransport() { scheduler_.forget(*this); }

void DetachedTransport::start(TransportEvents& events) {
  events_ = &events;
  deadline_.set_in(limits_.ms);
}

void DetachedTransport::send(const base::Bytes& wire) {
  if (state_ != State::open) return;
  queued_bytes_ += wire.size();
  if (queue_.empty() || !queue_.back().try_extend(wire)) queue_.push_back(wire);
  if (queued_bytes_ > limits_.bytes) scheduler_.mark_dirty(*this);
}

void DetachedTransport::notify_when_drained() {
  drained_wanted_ = true;
  scheduler_.mark_dirty(*this);
}

void DetachedTransport::close(base::CloseReason reason, std::string_view text) {
  if (state_ != State::open) return;
  reason_ = reason;
  events_->on_closing(reason, text);
  state_ = State::closing;
  scheduler_.mark_dirty(*this);
}

void DetachedTransport::abort() {
  state_ = State::closed;
  deadline_.clear();
}

bool DetachedTransport::hand_over(std::vector<base::Bytes>& unsent) {
  if (state_ != State::open) return false;
  unsent.insert(unsent.end(), std::move_iterator(queue_.begin()), std::move_iterator(queue_.end()));
  queue_.clear();
  queued_bytes_ = 0;
  abort();
  return true;
}

void DetachedTransport::on_deadline() { close(base::CloseReason::connection_lost, {}); }

void DetachedTransport::run_at_turn_end() {
  if (state_ == State::open && queued_bytes_ > limits_.bytes) close(base::CloseReason::slow_consumer, {});
  if (state_ == State::closing) {
    abort();
    return events_->on_closed(reason_);
  }
  if (state_ == State::open && queued_bytes_ == 0 && std::exchange(drained_wanted_, false))
    events_->on_drained();
}

}  // namespace roomcast::session
