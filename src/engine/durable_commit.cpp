// What comes of a batch: messages are announced when it is on the disk, or answered when it takes too long.
#include <algorithm>
#include <utility>

#include "engine/durable.h"

namespace roomcast::engine {

namespace {

constexpr std::size_t settled_per_slice = 1'024;
constexpr std::size_t answered_per_call = 4'096;
constexpr std::size_t quiet_per_call = 256;
constexpr std::int64_t look_often_ms = 100;
constexpr std::int64_t look_ms = 1'000;

constexpr hub::Refusal commit_too_late{hub::Refusal::Code::store_timeout,
                                       "not on the disk within store.ack_timeout_seconds: the message may "
                                       "still be kept, repeat it with the same "
                                       "Idempotency-Key"};

}  // namespace

void Durable::on_committed(Batch batch) {
  committed_ = std::max(committed_, batch);
  if (settle_some()) parts_.scheduler.mark_deferred(*this);
}

void Durable::on_state(store::State /*state*/) { watch_time(); }

void Durable::run_at_turn_end() {
  const bool has_more = settle_some();
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
  std::size_t done = 0;
  while (done < most && done < room.pending.size() && room.pending[done].batch <= committed_)
    finish(room, std::move(room.pending[done++]));
  room.pending.erase(room.pending.begin(), room.pending.begin() + static_cast<std::ptrdiff_t>(done));
  constexpr std::size_t spare = 4;
  if (room.pending.empty() && room.pending.capacity() > spare)
    std::vector<Room::Pending>().swap(room.pending);
  return done;
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

/// Has rooms that have been quiet give back what they have reserved.
void Durable::look_at_quiet_rooms(std::int64_t now_ms) {
  for (std::size_t i = 0; i < quiet_per_call; ++i) {
    Room* const room = reserved_.front();
    if (room == nullptr || now_ms - room->published_ms < quiet_ms) return;
    if (!take_reserve_back(*room)) return;
  }
}

void Durable::on_deadline() {
  looks_often_ = false;
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  answer_overdue(now_ms);
  look_at_quiet_rooms(now_ms);
  drop_old_keys(now_ms);
  for (Room* const room : std::exchange(to_load_, {}))
    load(*room);
  watch_time();
}

/// Has on_deadline called as long as there is something to look at.
void Durable::watch_time() {
  if (looks_often_) return;
  if (!order_.empty()) {
    looks_often_ = true;
    due_.set_in(look_often_ms);
  } else if (!due_.is_set() && !(reserved_.empty() && with_keys_.empty() && to_load_.empty())) {
    due_.set_in(look_ms);
  }
}

}  // namespace roomcast::engine
