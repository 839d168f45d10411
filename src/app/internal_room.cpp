#include "app/internal_room.h"

#include <algorithm>
#include <utility>

namespace roomcast::app {

InternalRoom::InternalRoom(const Parts& parts, std::string name, std::size_t past, Listener& listener)
    : parts_(parts),
      name_(std::move(name)),
      past_(past),
      listener_(listener),
      retry_(parts.deadlines, *this) {}

InternalRoom::~InternalRoom() { parts_.scheduler.forget(*this); }

void InternalRoom::join() {
  hub::Interest interest;
  interest.since = last_;
  // Without a place to go on from; otherwise all that is kept, behind a gap.
  if (!last_) interest.history = past_;
  membership_ = parts_.hub.subscribe(name_, *this, interest);
}

void InternalRoom::on_joined(hub::Membership& membership, const hub::Joined& joined) {
  if (last_ && joined.gap) queue_.emplace_back(*joined.gap);
  has_joined_ = true;
  last_ = joined.cursor;
  await(membership);
}

void InternalRoom::on_gap(hub::Membership& membership, const hub::Gap& gap) {
  queue_.emplace_back(gap);
  last_ = gap.cursor;
  await(membership);
}

void InternalRoom::await(const hub::Membership& membership) {
  past_end_ = membership.room_top().offset;
  is_reading_ = true;
  parts_.scheduler.mark_dirty(*this);
}

void InternalRoom::on_refused(hub::Membership& /*membership*/, const hub::Refusal& /*refusal*/) {
  membership_.reset();
  retry_.set_in(retry_ms);
}

void InternalRoom::deliver(hub::Batch& batch, std::size_t from) {
  for (const hub::Message& message : batch.messages().subspan(from)) {
    last_ = message.position;
    queued_bytes_ += cost_of(message);
    queue_.emplace_back(message);
  }
  parts_.scheduler.mark_dirty(*this);
}

void InternalRoom::hand_over(const Item& item) {
  if (const auto* const gap = std::get_if<hub::Gap>(&item)) {
    if (past_ != 0) {
      queue_.clear();
      queued_bytes_ = 0;
      last_.reset();
      join();
    }
    return listener_.on_room_gap(*gap);
  }
  const auto& message = std::get<hub::Message>(item);
  queued_bytes_ -= cost_of(message);
  if (!message.is_removed) listener_.on_room_message(message, message.position.offset <= past_end_);
}

void InternalRoom::run_at_turn_end() {
  if (queued_bytes_ > queued_bytes_max) membership_.reset();
  for (std::size_t i = 0; i < per_turn && !queue_.empty(); ++i) {
    const Item item = std::move(queue_.front());
    queue_.pop_front();
    hand_over(item);
  }
  if (!queue_.empty()) return parts_.scheduler.mark_deferred(*this);
  if (!membership_) {
    if (has_joined_ && !retry_.is_set()) join();
    return;
  }
  // The next page.
  if (membership_->is_catching_up()) membership_->continue_replay();
  if (is_reading_ && membership_->has_got(past_end_)) {
    is_reading_ = false;
    has_been_read_ = true;
    listener_.on_room_read();
  }
}

void InternalRoom::on_deadline() {
  if (!membership_) join();
}

}  // namespace roomcast::app
