// What goes out: publishes and amendments, a batch of a room at a time.
#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "engine/redis.h"

namespace roomcast::engine {

namespace {

using Code = hub::Refusal::Code;

constexpr hub::Refusal queue_is_full{Code::overloaded, "too much waits to be published: redis.queue_bytes"};
constexpr hub::Refusal redis_is_full{Code::overloaded, "Redis has no memory left (maxmemory)"};
constexpr hub::Refusal cannot_publish{
    Code::unavailable, "Redis can't be reached, or does not take messages now: nothing was published"};
constexpr hub::Refusal may_be_published{Code::timed_out,
                                        "no answer from Redis in time: the message may have been published, "
                                        "repeat it with the same Idempotency-Key"};
constexpr hub::Refusal key_of_other{Code::key_reused, "that idempotency key belongs to another message"};

constexpr std::size_t sends_per_turn = 256;
constexpr std::size_t overdue_per_call = 1'024;
constexpr std::int64_t noted_apart_ms = 250;
constexpr std::size_t outgoing_overhead = 256;

RedisPort::Amend::What what_of(hub::Amendment::What what) {
  if (what == hub::Amendment::What::removed) return RedisPort::Amend::What::removed;
  return what == hub::Amendment::What::replaced ? RedisPort::Amend::What::replaced
                                                : RedisPort::Amend::What::cleared;
}

}  // namespace

void Redis::publish(std::string_view name, hub::Draft&& draft, hub::Ticket ticket) {
  Room::Outgoing outgoing;
  outgoing.bytes = outgoing_overhead + draft.payload.size() + draft.key.held_bytes();
  outgoing.key = std::move(draft.key);
  outgoing.message = {draft.kind,
                      std::move(draft.payload),
                      std::move(draft.author),
                      draft.sender,
                      {},
                      parts_.clock.wall_ms(),
                      draft.source,
                      std::move(draft.labels)};
  outgoing.ticket = ticket;
  enqueue(name, std::move(outgoing));
}

void Redis::remove(std::string_view name, const hub::Position& position, hub::Ticket ticket) {
  amend(name, hub::Amendment::remove(position), ticket);
}

void Redis::replace(std::string_view name, const hub::Position& position, hub::Draft&& draft,
                    hub::Ticket ticket) {
  amend(name,
        hub::Amendment::replace({draft.kind, std::move(draft.payload), std::move(draft.author), 0, position,
                                 parts_.clock.wall_ms(), draft.source, std::move(draft.labels)}),
        ticket);
}

void Redis::clear(std::string_view name, hub::Ticket ticket) {
  amend(name, hub::Amendment::clear({}), ticket);
}

void Redis::amend(std::string_view name, hub::Amendment&& amendment, hub::Ticket ticket) {
  Room::Outgoing outgoing;
  outgoing.bytes = outgoing_overhead + amendment.message.payload.size();
  outgoing.amendment = std::move(amendment);
  outgoing.ticket = ticket;
  enqueue(name, std::move(outgoing));
}

void Redis::enqueue(std::string_view name, Room::Outgoing&& outgoing) {
  if (queued_bytes_ + outgoing.bytes > limits_.queue_bytes) {
    ++stats_.refused_full;
    return answer(outgoing.ticket, queue_is_full);
  }
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  Room& room = find_or_make(name);
  outgoing.since_ms = now_ms;
  queued_bytes_ += outgoing.bytes;
  room.queue.push_back(std::move(outgoing));
  if (room.noted == 0 || now_ms - room.noted_ms >= noted_apart_ms) {
    room.noted_ms = now_ms;
    ++room.noted;
    order_.push_back({now_ms, &room});
    watch_time();
  }
  if (room.under_way.empty() && !room.base::Linked<RedisRoomsToSend>::is_linked()) to_send_.push_back(room);
  parts_.scheduler.mark_dirty(*this);
}

/// Sends the batches of some rooms. True if there are more that can be sent.
bool Redis::send_some() {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  // Those that have to wait go to the back; with more than fit into one look the rest follows.
  bool has_sent = false;
  for (std::size_t i = 0; i < sends_per_turn && !to_send_.empty(); ++i) {
    Room& room = *to_send_.front();
    const bool can_send = partitions_.at(room.partition).has_calls && now_ms >= room.not_before_ms &&
                          parts_.port.has_space_for(room.partition, room.batch.size());
    if (!can_send) {
      to_send_.push_back(room);
      continue;
    }
    room.base::Linked<RedisRoomsToSend>::unlink();
    send(room);
    has_sent = true;
  }
  watch_time();
  return has_sent && !to_send_.empty();
}

void Redis::send(Room& room) {
  if (room.under_way.empty()) fill_batch(room);
  if (!room.under_way.empty()) call(room);
}

/// Takes the next batch from the queue. An amendment, or a message with a key, goes by itself.
void Redis::fill_batch(Room& room) {
  RedisBatch batch(node_, last_sequence_ + 1);
  const auto is_single = [](const Room::Outgoing& one) { return one.amendment || !one.key.empty(); };
  while (!room.queue.empty()) {
    Room::Outgoing& next = room.queue.front();
    if (batch.count() != 0 && (is_single(next) || !batch.has_space_for(next.message.payload.size()))) break;
    if (next.amendment) {
      batch.add(*next.amendment, parts_.clock.wall_ms());
    } else {
      batch.add(next.message, next.key);
    }
    const bool is_alone = is_single(next);
    room.under_way.push_back(std::move(next));
    room.queue.pop_front();
    if (is_alone) break;
  }
  if (batch.count() == 0) return;
  last_sequence_ += batch.count();
  room.batch = batch.encode();
  room.is_again = false;
  room.again_after = room.is_known ? room.top : room.answered;
}

void Redis::call(Room& room) {
  room.call = ++last_call_;
  publishes_.emplace(room.call, &room);
  const Room::Outgoing& first = room.under_way.front();
  RedisPort::Publish publish{room.name, room.batch, room.under_way.size(), limits_of(room.name)};
  if (!first.key.empty()) publish.key = {std::string(first.key.text()), in_hexadecimal(first.key.digest())};
  if (room.is_again) publish.again_after = room.again_after;
  if (!first.amendment) return parts_.port.publish(room.call, std::move(publish));
  RedisPort::Amend amend{what_of(first.amendment->what), first.amendment->message.position, {}};
  if (amend.what == RedisPort::Amend::What::replaced) amend.replacement = room.batch;
  parts_.port.amend(room.call, std::move(publish), amend);
}

void Redis::on_call_published(RedisCallId call, base::Result<RedisPublished, RedisFault>&& outcome) {
  const auto found = publishes_.find(call);
  if (found == publishes_.end()) {
    const auto restore = restores_.find(call);
    if (restore == restores_.end()) return;
    Room& room = *restore->second;
    restores_.erase(restore);
    return on_put_back(room, outcome);
  }
  Room& room = *found->second;
  publishes_.erase(found);
  room.call = 0;
  if (outcome) {
    finish_batch(room, *outcome);
  } else {
    fail_batch(room, outcome.error());
  }
  if (room.has_outgoing()) {
    to_send_.push_back(room);
    parts_.scheduler.mark_dirty(*this);
    return watch_time();
  }
  erase_if_idle(room);
}

void Redis::finish_batch(Room& room, const RedisPublished& published) {
  const std::vector<Room::Outgoing> done = std::exchange(room.under_way, {});
  ++stats_.batches;
  if (!published.is_duplicate) {
    stats_.published += done.size();
    keep_own(room, published, done.size());
  }
  room.batch.clear();
  room.answered = published.last;
  if (room.is_subscribed && !room.has_own() && !room.base::Linked<RedisRoomsWithOwn>::is_linked()) {
    room.own_due_ms = parts_.clock.monotonic_ms() + own_push_ms;
    with_own_.push_back(room);
  }
  std::uint64_t offset = published.last.offset - std::min<std::uint64_t>(published.last.offset, done.size());
  for (const Room::Outgoing& one : done) {
    queued_bytes_ -= one.bytes;
    hub::Position position{published.last.epoch, ++offset};
    if (one.amendment && one.amendment->what != hub::Amendment::What::cleared)
      position = one.amendment->message.position;
    else if (one.amendment)
      --position.offset;
    const auto nodes = static_cast<std::size_t>(published.nodes);
    answer(one.ticket, hub::Published{position, false, published.is_duplicate, nodes});
  }
}

void Redis::fail_batch(Room& room, const RedisFault& fault) {
  using Fault = RedisFault::Code;
  switch (fault.code) {
    case Fault::lost:
      // It is sent again with its number.
      room.is_again = true;
      return retry(room, 0);
    case Fault::doubt:
      return retry(room, std::max<std::int64_t>(fault.wait_ms, 1));
    case Fault::stale:
    case Fault::no_script:
    case Fault::not_primary:
      // Nothing has been done; a connection that knows better comes.
      return retry(room, noted_apart_ms);
    case Fault::key_reused:
      return answer_all(room, key_of_other);
    case Fault::not_found: {
      const Room::Outgoing& first = room.under_way.front();
      if (!first.amendment) return answer_all(room, cannot_publish);
      // The call before has done it.
      if (room.is_again) return finish_batch(room, {room.top, 0, false});
      return answer_all(room, hub::no_such_message(first.amendment->message.position));
    }
    case Fault::out_of_memory:
      ++stats_.refused_full;
      return answer_all(room, redis_is_full);
    case Fault::unknown:
      ++stats_.timed_out;
      return answer_all(room, may_be_published);
    case Fault::refused:
    case Fault::late:
    case Fault::garbled:
      parts_.log.error("Redis refused to publish", {{"room", room.name}, {"why", fault.message}});
      ++stats_.refused_unavailable;
      return answer_all(room,
                        room.is_again || fault.code == Fault::garbled ? may_be_published : cannot_publish);
  }
}

/// Has the batch under way sent once more, unless it has been waiting for too long.
void Redis::retry(Room& room, std::int64_t wait_ms) {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  room.not_before_ms = now_ms + wait_ms;
  if (now_ms - room.under_way.front().since_ms < limits_.publish_ms) return;
  ++(room.is_again ? stats_.timed_out : stats_.refused_unavailable);
  answer_all(room, room.is_again ? may_be_published : cannot_publish);
}

/// Answers the batch under way, which is over.
void Redis::answer_all(Room& room, const hub::Refusal& refusal) {
  const std::vector<Room::Outgoing> over = std::exchange(room.under_way, {});
  room.batch.clear();
  for (const Room::Outgoing& one : over) {
    queued_bytes_ -= one.bytes;
    answer(one.ticket, refusal);
  }
}

void Redis::answer(hub::Ticket ticket, const hub::PublishOutcome& outcome) {
  if (ticket != 0) events_->on_published(ticket, outcome);
}

/// Answers what has been waiting for too long. What has not been sent is taken back.
void Redis::answer_overdue(std::int64_t now_ms) {
  for (std::size_t i = 0; i < overdue_per_call && !order_.empty(); ++i) {
    // By then all that it stands for has been waiting for too long.
    if (now_ms - order_.front().since_ms < limits_.publish_ms + noted_apart_ms) return;
    Room& room = *order_.front().room;
    order_.pop_front();
    --room.noted;
    const auto is_over = [&](const Room::Outgoing& one) {
      return now_ms - one.since_ms >= limits_.publish_ms;
    };
    if (room.call == 0 && !room.under_way.empty() && is_over(room.under_way.front())) {
      ++(room.is_again ? stats_.timed_out : stats_.refused_unavailable);
      answer_all(room, room.is_again ? may_be_published : cannot_publish);
    }
    while (!room.queue.empty() && is_over(room.queue.front())) {
      ++stats_.refused_unavailable;
      queued_bytes_ -= room.queue.front().bytes;
      answer(room.queue.front().ticket, cannot_publish);
      room.queue.pop_front();
    }
    if (!room.has_outgoing()) room.base::Linked<RedisRoomsToSend>::unlink();
    erase_if_idle(room);
  }
}

}  // namespace roomcast::engine
