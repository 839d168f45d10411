// What comes of a batch: messages are announced when it is on the disk, or answered when it takes too long.
#include <algorithm>
#include <utility>

#include "engine/durable.h"

namespace roomcast::engine {

namespace {

constexpr std::size_t settled_per_slice = 1'024;
constexpr std::size_t answered_per_call = 4'096;
constexpr std::size_t quiet_per_call = 256;
constexpr std::size_t spare_max = 4'096;  // about a megabyte
constexpr std::size_t loading_per_call = 1'024;
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
  bool has_more = settle_some();
  has_more = reserve_for_some_aside() || has_more;
  if (rules_due_ != 0) apply_rules_to_some();
  if (has_more || rules_due_ != 0) parts_.scheduler.mark_deferred(*this);
}

/// Finishes what is on the disk, a slice of it. True if there is more.
bool Durable::settle_some() {
  std::size_t left = settled_per_slice;
  while (!order_.empty() && order_.front().batch <= committed_) {
    if (left == 0) return true;
    const Waiting waiting = order_.front();
    Room& room = *waiting.room;
    // What waited in the same room may have been finished with something before it.
    const bool waits = !room.pending.empty() && room.pending.front().number <= waiting.number;
    left -= waits ? settle(room, left) : 1;
    if (!room.pending.empty() && room.pending.front().number <= waiting.number) continue;
    order_.pop_front();
    if (looked_at_ != 0) --looked_at_;
    --room.users;
    on_settled(room);
  }
  return false;
}

std::size_t Durable::settle(Room& room, std::size_t most) {
  if (room.is_aside) come_back(room);
  std::size_t done = 0;
  while (done < most && done < room.pending.size() && room.pending[done].batch <= committed_)
    finish(room, std::move(room.pending[done++]));
  room.pending.erase(room.pending.begin(), room.pending.begin() + static_cast<std::ptrdiff_t>(done));
  if (room.pending.empty() && room.pending.capacity() > Room::pending_kept) give_memory_back(room);
  return done;
}

/// Rooms in which nothing waits keep little memory for that. What one had is kept for the next.
void Durable::give_memory_back(Room& room) {
  const std::size_t most = room.pending.capacity() > spare_max ? 0 : room.pending.capacity();
  if (most > spare_.capacity()) room.pending.swap(spare_);
  if (room.pending.capacity() > Room::pending_kept) std::vector<Room::Pending>().swap(room.pending);
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

/// Answers what has been waiting for too long. It goes on waiting.
void Durable::answer_overdue(std::int64_t now_ms) {
  for (std::size_t i = 0; i < answered_per_call && looked_at_ < order_.size(); ++i, ++looked_at_) {
    const Waiting& waiting = order_[looked_at_];
    if (now_ms - waiting.since_ms < limits_.ack_timeout_ms) return;
    std::vector<Room::Pending>& all = waiting.room->pending;
    const auto found = std::lower_bound(
        all.begin(), all.end(), waiting.number,
        [](const Room::Pending& pending, std::uint64_t number) { return pending.number < number; });
    const bool is_there = found != all.end() && found->number == waiting.number;
    if (!is_there || found->ticket == 0) continue;
    ++stats_.timeouts;
    answer(std::exchange(found->ticket, 0), commit_too_late);
  }
}

/// Likewise publishes that wait for their room to be loaded. Looks at some of the rooms, by turns.
void Durable::answer_overdue_early(std::int64_t now_ms) {
  const Room* const first = with_early_.front();
  for (std::size_t i = 0; i < loading_per_call && first != nullptr; ++i) {
    Room& room = *with_early_.front();
    for (Room::Early& early : room.early) {
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
  answer_overdue(now_ms);
  answer_overdue_early(now_ms);
  look_at_quiet_rooms(now_ms);
  if (reserve_for_some_aside()) parts_.scheduler.mark_deferred(*this);
  drop_old_keys(now_ms);
  for (Room* const room : std::exchange(to_load_, {}))
    load(*room);
  watch_time();
}

/// Has on_deadline called as long as there is something to look at.
void Durable::watch_time() {
  if (looks_often_) return;
  if (!order_.empty() || !with_early_.empty()) {
    looks_often_ = true;
    due_.set_in(look_often_ms);
  } else if (!due_.is_set() &&
             !(reserved_.empty() && with_keys_.empty() && to_load_.empty() && aside_.empty())) {
    due_.set_in(look_ms);
  }
}

}  // namespace roomcast::engine
