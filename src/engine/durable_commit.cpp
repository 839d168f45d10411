// What comes of a batch: messages are announced when it is on the disk, or answered when it takes too long.
#include <algorithm>
#include <utility>

#include "engine/durable.h"

namespace roomcast::engine {

namespace {

// How many of each are dealt with in one call.
constexpr std::size_t settled_per_slice = 512;
constexpr std::size_t answered_per_slice = 512;
constexpr std::size_t quiet_per_call = 256;
constexpr std::size_t spare_max = 4'096;         // about a megabyte
constexpr std::size_t loading_per_call = 1'024;  // rooms and publishes that wait for them
constexpr std::size_t loads_per_call = 256;      // as many as the store takes
constexpr std::size_t aside_per_call = 256;
constexpr std::size_t reserving_bytes = 1'024;  // at least what a room's records for that take
constexpr std::int64_t look_often_ms = 100;
constexpr std::int64_t look_ms = 1'000;

constexpr hub::Refusal commit_too_late{hub::Refusal::Code::store_timeout,
                                       "not on the disk within store.ack_timeout_seconds: the message may "
                                       "still be kept, repeat it with the same "
                                       "Idempotency-Key"};

constexpr hub::Refusal load_too_late{hub::Refusal::Code::store_timeout,
                                     "the room was not found on the disk within store.ack_timeout_seconds: "
                                     "the message may still be kept, repeat it with the same "
                                     "Idempotency-Key"};

}  // namespace

void Durable::on_committed(Batch batch) {
  committed_ = std::max(committed_, batch);
  if (settle_some()) parts_.scheduler.mark_deferred(*this);
}

void Durable::on_state(store::State /*state*/) {
  if (reserve_for_some_aside()) parts_.scheduler.mark_deferred(*this);
  watch_time();
}

void Durable::run_at_turn_end() {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  bool has_more = settle_some();
  has_more = finish_some_loads() || has_more;
  has_more = answer_overdue(now_ms) || has_more;
  has_more = keys_.free_some(now_ms) || has_more;
  has_more = reserve_for_some_aside() || has_more;
  if (rules_due_ != 0) apply_rules_to_some();
  if (has_more || rules_due_ != 0) parts_.scheduler.mark_deferred(*this);
}

/// Finishes what is on the disk, a slice of it. True if there is more.
bool Durable::settle_some() {
  std::size_t left = settled_per_slice;
  while (!order_.empty() && order_.front().batch <= committed_) {
    if (left == 0) return true;
    // The first of all is the first of its room too.
    Room& room = *order_.front().room;
    left -= settle(room, left);
    on_settled(room);
  }
  return false;
}

std::size_t Durable::settle(Room& room, std::size_t most) {
  if (room.is_aside) come_back(room);
  std::size_t done = 0;
  for (; done < most; ++done) {
    Room::Pending* const first = room.pending.front();
    if (first == nullptr || first->batch > committed_) break;
    first->unlink();
    finish(room, std::move(*first));
    release(first->place);
    --room.users;
  }
  return done;
}

/// What is there has been finished. Its memory is kept for the next.
void Durable::release(Order::iterator place) {
  if (not_late_ == place) ++not_late_;
  if (spare_.size() >= spare_max) {
    order_.erase(place);
    return;
  }
  place->bytes = 0;
  place->message = {};
  place->key = {};
  place->read.reset();
  spare_.splice(spare_.begin(), order_, place);
}

/// Something in the room has been finished.
void Durable::on_settled(Room& room) {
  if (room.level != room.wanted) switch_level(room);
  if (!room.is_subscribed && room.users == 0) retire(room);
}

void Durable::finish(Room& room, Room::Pending&& pending) {
  room.pending_bytes -= pending.bytes;
  switch (pending.what) {
    case Room::Pending::What::publish:
      return finish_publish(room, std::move(pending));
    case Room::Pending::What::repeat: {
      const hub::Position position = pending.message.position;
      const bool is_durable = room.log.kept_up_to(committed_) >= position.offset;
      return answer(pending.ticket, hub::Published{position, is_durable, true});
    }
    case Room::Pending::What::amendment:
      return finish_amendment(room, std::move(pending));
    case Room::Pending::What::read:
      return ask_store(room, std::move(*pending.read));
    case Room::Pending::What::nothing:
      return;
  }
}

void Durable::finish_publish(Room& room, Room::Pending&& pending) {
  key_is_published(room, pending);
  const hub::Position position = pending.message.position;
  announce(room, std::move(pending.message));
  answer(pending.ticket, hub::Published{position, room.log.kept_up_to(committed_) >= position.offset});
}

/// Answers some of what has been waiting for too long. It goes on waiting. True if there is more.
bool Durable::answer_overdue(std::int64_t now_ms) {
  for (std::size_t i = 0; not_late_ != order_.end(); ++i, ++not_late_) {
    Room::Pending& pending = *not_late_;
    if (now_ms - pending.since_ms < limits_.ack_timeout_ms) return false;
    if (i == answered_per_slice) return true;
    if (pending.ticket == 0) continue;
    ++stats_.timeouts;
    answer(std::exchange(pending.ticket, 0), commit_too_late);
  }
  return false;
}

/// Likewise publishes that wait for their room to be loaded. Looks at some of the rooms, by turns.
void Durable::answer_overdue_early(std::int64_t now_ms) {
  const Room* const first = with_early_.front();
  for (std::size_t i = 0; i < loading_per_call && first != nullptr; ++i) {
    Room& room = *with_early_.front();
    for (; room.early_answered < room.early.size(); ++room.early_answered, ++i) {
      Room::Early& early = room.early[room.early_answered];
      if (now_ms - early.since_ms < limits_.ack_timeout_ms) break;
      if (early.ticket == 0) continue;
      ++stats_.timeouts;
      answer(std::exchange(early.ticket, 0), load_too_late);
    }
    with_early_.push_back(room);
    if (with_early_.front() == first) return;
  }
}

/// Has rooms that have been quiet give back what they have reserved.
void Durable::look_at_quiet_rooms(std::int64_t now_ms) {
  for (std::size_t i = 0; i < quiet_per_call; ++i) {
    Room* const room = reserved_.front();
    if (room == nullptr || now_ms - room->published_ms < quiet_ms) return;
    if (!take_reserve_back(*room)) return;
  }
}

// --- Rooms that went aside ---

/// Reserves offsets for rooms that went aside, a slice of them: they come back when that is on the disk. True
/// if there are more.
bool Durable::reserve_for_some_aside() {
  for (std::size_t i = 0; i < aside_per_call; ++i) {
    Room* const room = aside_.front();
    // It can't be kept: its publishes are refused from here on.
    if (room != nullptr && lacks_number(*room) && parts_.store.state() == store::State::ok) {
      come_back(*room);
      continue;
    }
    if (room == nullptr || why_not_kept(*room, reserving_bytes)) return false;
    room->base::Linked<RoomsAside>::unlink();
    std::string& batch = begin_records(*room);
    room->log.reserve(batch, room->log.last_batch(), committed_);
    room->published_ms = parts_.clock.monotonic_ms();
    reserved_.push_back(*room);
    await_last_batch(*room);
    parts_.store.appended();
  }
  return !aside_.empty();
}

/// The room goes on in its log on the disk.
void Durable::come_back(Room& room) {
  leave_aside(room);
  if (room.is_subscribed) events_->on_resumed(room.name, room.log.state_at(room.announced));
}

void Durable::leave_aside(Room& room) {
  room.is_aside = false;
  room.base::Linked<RoomsAside>::unlink();
  memory_.unsubscribe(room.name);
}

void Durable::on_deadline() {
  looks_often_ = false;
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  answer_overdue_early(now_ms);
  look_at_quiet_rooms(now_ms);
  bool has_more = answer_overdue(now_ms);
  has_more = reserve_for_some_aside() || has_more;
  has_more = keys_.free_some(now_ms) || has_more;
  if (has_more) parts_.scheduler.mark_deferred(*this);
  load_some_again(loads_per_call);
  watch_time();
}

/// Has on_deadline called as long as there is something to look at.
void Durable::watch_time() {
  if (looks_often_) return;
  if (!order_.empty() || !with_early_.empty()) {
    looks_often_ = true;
    due_.set_in(look_often_ms);
  } else if (!due_.is_set() &&
             (!reserved_.empty() || keys_.has_some_to_free() || !to_load_.empty() || !aside_.empty())) {
    due_.set_in(look_ms);
  }
}

}  // namespace roomcast::engine
