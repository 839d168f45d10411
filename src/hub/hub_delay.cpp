// What has to wait in the hub: publishes for the backlog, fan-outs for members.
#include <algorithm>
#include <utility>

#include "hub/hub.h"

namespace roomcast::hub {

namespace {

// What a publish that waits takes beside its payload.
constexpr std::size_t delayed_overhead = 512;
constexpr std::size_t slice_delayed = 64;
constexpr std::int64_t look_ms = 250;
constexpr std::size_t overdue_per_call = 1'024;

std::size_t cost_of(const Draft& draft) { return delayed_overhead + draft.payload.size(); }

}  // namespace

bool Hub::would_wait(std::string_view room) const {
  if (overloaded_ || congested()) return true;
  const Room* found = find(room);
  return found != nullptr && would_wait(*found);
}

bool Hub::has_space_for(std::string_view room) const {
  const std::size_t needed = occupied_bytes_ + Retention::room_cost(room);
  return needed <= limits_.room_bytes || find(room) != nullptr;
}

void Hub::delay(Room& room, Draft draft, PublishDone done) {
  const std::size_t cost = cost_of(draft);
  if (delayed_bytes_ + cost > limits_.delayed_bytes) {
    return refuse(std::move(done), {Refusal::Code::overloaded, "too many messages wait to be published"});
  }
  delayed_bytes_ += cost;
  const std::int64_t until_ms = parts_.clock.monotonic_ms() + limits_.delayed_ms;
  const base::SlotId id = delayed_.insert({&room, std::move(draft), std::move(done), until_ms});
  if (!room.delayed_) room.delayed_ = std::make_unique<std::deque<base::SlotId>>();
  room.delayed_->push_back(id);
  delayed_order_.push_back(id);
  give_turn(room);
  watch_time();
}

/// Lets the room's delayed publishes go on when it is their turn, if there are any and the room can take
/// them.
void Hub::give_turn(Room& room) {
  if (!room.has_delayed() || room.has_delayed_turn_ || room.backlog_bytes() > limits_.room_backlog_bytes)
    return;
  room.has_delayed_turn_ = true;
  delayed_rooms_.push_back(&room);
  parts_.scheduler.wake();
}

void Hub::publish_delayed() {
  for (std::size_t i = 0; i < slice_delayed && can_publish_delayed(); ++i) {
    Room& room = *delayed_rooms_.front();
    delayed_rooms_.pop_front();
    room.has_delayed_turn_ = false;
    if (!room.has_delayed()) {
      retention_.on_idle(room);
      continue;
    }
    Delayed delayed = delayed_.take(room.delayed_->front());
    room.delayed_->pop_front();
    delayed_bytes_ -= cost_of(delayed.draft);
    hand_over(room, std::move(delayed.draft), std::move(delayed.done));
    if (room.delayed_->empty()) room.delayed_.reset();
    give_turn(room);
    retention_.on_idle(room);
  }
}

void Hub::on_deadline() {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  while (!parked_.empty() && parked_.front()->park_until_ms_ <= now_ms) {
    Room& room = *parked_.front();
    room.fan_out().end_wait();
    end_parking(room);
  }
  refuse_overdue(now_ms);
  end_overdue_requests(now_ms);
  watch_time();
}

void Hub::refuse_overdue(std::int64_t now_ms) {
  for (std::size_t i = 0; i < overdue_per_call && !delayed_order_.empty(); ++i) {
    const base::SlotId id = delayed_order_.front();
    const Delayed* const first = delayed_.find(id);
    if (first != nullptr && first->until_ms > now_ms) return;
    delayed_order_.pop_front();
    if (first == nullptr) continue;
    Delayed overdue = delayed_.take(id);
    delayed_bytes_ -= cost_of(overdue.draft);
    refuse(std::move(overdue.done),
           {Refusal::Code::overloaded, "the message waited too long for others to be delivered"});
    // It was the room's oldest too.
    Room& room = *overdue.room;
    room.delayed_->pop_front();
    if (!room.delayed_->empty()) continue;
    room.delayed_.reset();
    retention_.on_idle(room);
  }
}

void Hub::park(Room& room) {
  room.parked_ = true;
  room.park_until_ms_ = parts_.clock.monotonic_ms() + FanOut::wait_ms;
  room.parked_place_ = parked_.insert(parked_.end(), &room);
  watch_time();
}

/// Some member does not hold the room up any more.
void Hub::unpark(Room& room) {
  if (room.parked_ && !room.fan_out().should_wait(limits_.page_bytes)) end_parking(room);
}

void Hub::end_parking(Room& room) {
  room.parked_ = false;
  parked_.erase(room.parked_place_);
  active_.push_back(&room);
  parts_.scheduler.wake();
}

/// Has on_deadline called when the first that waits has waited long enough.
void Hub::watch_time() {
  const bool is_idle = parked_.empty() && delayed_.size() == 0 && unanswered_.empty() && awaited_.empty();
  if (due_.is_set() || is_idle) return;
  due_.set_in(look_ms);
}

}  // namespace roomcast::hub
