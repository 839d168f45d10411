// What comes in: pushes, and what is read from the stream where they do not follow each other.
#include <algorithm>
#include <utility>

#include "engine/redis.h"

namespace roomcast::engine {

namespace {

constexpr hub::Refusal link_is_down{hub::Refusal::Code::unavailable,
                                    "Redis can't be reached: the room's messages can't be read now"};
constexpr std::size_t looks_per_call = 256;

}  // namespace

void Redis::on_room_subscribed(std::string_view name) {
  Room* const room = find(name);
  if (room == nullptr || (!room->is_wanted && !room->base::Linked<RedisRoomsThatLinger>::is_linked())) return;
  room->is_subscribed = true;
  presence_.on_room_subscribed(name);
  need_sync(*room);
}

void Redis::on_push(std::string_view name, std::string_view bytes) {
  Room* const room = find(name);
  if (room == nullptr || !room->is_subscribed) return;
  if (RedisPresence::is_news(bytes)) return presence_.on_news(name, bytes);
  if (room->is_behind()) return buffer(*room, bytes);
  const std::optional<RedisPush> push = read_redis_push(bytes);
  if (push) return take_push(*room, *push);
  ++stats_.unreadable;
  need_sync(*room);
}

/// In a room that is in step.
void Redis::take_push(Room& room, const RedisPush& push) {
  const std::optional<RedisBatch::Head> head = RedisBatch::read_head(push.batch);
  const std::uint64_t last = head ? push.first + head->count - 1 : push.first;
  const bool is_of_log = room.lineage.has({push.epoch, last}, room.top);
  if (is_of_log) {
    ++stats_.repeated_pushes;
    return;
  }
  if (push.epoch == room.top.epoch && push.first == room.top.offset + 1 && head) {
    ++stats_.pushes;
    if (pass_on(room, push.first, push.batch, nullptr)) return;
  } else {
    ++stats_.holes;
  }
  need_sync(room);
}

/// Keeps a push until the room has been synced.
void Redis::buffer(Room& room, std::string_view bytes) {
  // Another server may have put back what the log had lost.
  if (room.base::Linked<RedisRoomsInDoubt>::is_linked()) need_sync(room);
  if (room.is_dropping || room.pushed_bytes + bytes.size() > Room::pushed_bytes_max) {
    ++stats_.dropped_pushes;
    room.is_dropping = true;
    return;
  }
  room.pushed_bytes += bytes.size();
  room.pushed.emplace_back(bytes);
}

/// The room is in step with the stream: what was pushed meanwhile follows.
void Redis::take_buffered(Room& room) {
  const std::deque<std::string> pushed = std::exchange(room.pushed, {});
  room.pushed_bytes = 0;
  for (const std::string& bytes : pushed) {
    // After the first that does not follow all others wait for the sync that it has caused.
    on_push(room.name, bytes);
  }
  if (std::exchange(room.is_dropping, false)) need_sync(room);
}

void Redis::need_sync(Room& room) {
  if (room.sync != 0 || room.restore != 0 || room.base::Linked<RedisRoomsToSync>::is_linked()) return;
  room.base::Linked<RedisRoomsInDoubt>::unlink();
  to_sync_.push_back(room);
  parts_.scheduler.mark_deferred(*this);
  watch_time();
}

void Redis::confirm(std::string_view name) {
  Room* const room = find(name);
  if (room == nullptr || !room->is_told) return;
  room->is_lost = true;  // so that the hub is told when it is in step
  room->is_doubted = room->sync != 0;
  if (room->is_subscribed) need_sync(*room);
}

/// Asks where rooms stand, of a bounded number at a time. True if more can be asked for at once.
bool Redis::sync_some() {
  // Rooms whose partition can't be called go to the back.
  for (std::size_t i = 0; i < syncs_max && !to_sync_.empty() && syncs_.size() < syncs_max; ++i) {
    Room& room = *to_sync_.front();
    if (!partitions_.at(room.partition).has_calls ||
        !parts_.port.has_space_for(room.partition, room.name.size())) {
      to_sync_.push_back(room);
      continue;
    }
    room.base::Linked<RedisRoomsToSync>::unlink();
    room.sync = ++last_call_;
    syncs_.emplace(room.sync, &room);
    ++stats_.syncs;
    const bool reads = room.is_known;
    parts_.port.sync(room.sync, {room.name, room.top.offset, reads ? sync_messages : 0,
                                 reads ? sync_bytes : 0, limits_of(room.name)});
  }
  return false;
}

void Redis::on_call_synced(RedisCallId call, base::Result<RedisLogState, RedisFault>&& outcome) {
  const auto reading = readings_.find(call);
  if (reading != readings_.end()) {
    const Reading done = std::move(reading->second);
    readings_.erase(reading);
    return on_page(done, std::move(outcome));
  }
  const auto found = syncs_.find(call);
  if (found == syncs_.end()) return;
  Room& room = *found->second;
  syncs_.erase(found);
  room.sync = 0;
  if (!to_sync_.empty()) parts_.scheduler.mark_deferred(*this);
  if (!room.is_subscribed) {
    // Its pushes have stopped meanwhile; it is synced again when they come again.
    return erase_if_idle(room);
  }
  if (std::exchange(room.is_doubted, false) || !outcome) return need_sync(room);
  take_state(room, *outcome);
}

void Redis::take_state(Room& room, const RedisLogState& state) {
  if (!room.is_known) {
    begin_at(room, state);
  } else if (wait_for_rest(room, state)) {
    return;
  } else {
    const bool is_in_step = take_batches(room, state);
    if (!is_in_step) return need_sync(room);
    room.floor = state.floor;
    if (room.is_wanted && (!room.is_told || room.is_lost)) tell_state(room);
  }
  take_buffered(room);
}

/// It is the first that is known of the room.
void Redis::begin_at(Room& room, const RedisLogState& state) {
  room.is_known = true;
  move_to(room, state);
  if (room.is_wanted) tell_state(room);
}

/// The room stands at the end of the log, whatever it has not got.
void Redis::move_to(Room& room, const RedisLogState& state) {
  room.top = state.top;
  room.floor = state.floor;
  room.lineage = state.lineage;
}

/// Tells the hub where the room stands.
void Redis::tell_state(Room& room) {
  hub::LogState log(room.top, room.floor);
  log.lineage = room.lineage;
  room.is_lost = false;
  if (std::exchange(room.is_told, true)) {
    events_->on_resumed(room.name, log);
  } else {
    events_->on_subscribed(room.name, log);
  }
}

/// Passes on what has been read after the room's top. False if there is more.
bool Redis::take_batches(Room& room, const RedisLogState& state) {
  if (!state.lineage.has(room.top, state.top)) return go_back(room, state);
  const bool is_far = state.floor > room.top.offset || state.top.offset - room.top.offset > sync_messages;
  if (is_far) {
    // Members read what they still want in pages, or are told of a gap.
    if (state.top.epoch != room.top.epoch) ++stats_.forks;
    move_to(room, state);
    if (room.is_wanted) tell_state(room);
    return true;
  }
  for (const RedisLogState::Batch& batch : state.batches) {
    if (batch.last <= room.top.offset) continue;
    cross_into(room, state);
    const std::optional<RedisBatch::Head> head = RedisBatch::read_head(batch.bytes);
    const std::uint64_t first = head && head->count <= batch.last ? batch.last - head->count + 1 : 0;
    const bool is_next = head && first <= room.top.offset + 1;
    if (!is_next || !pass_on(room, first, batch.bytes, &state)) {
      // It can't be read, or something before it can't: readers get a gap in its place.
      if (!head) ++stats_.unreadable;
      parts_.log.error(
          "a message of a room can't be read from Redis: it is left out",
          {{"room", room.name}, {"offset", batch.last}, {"why", RedisBatch::why_unreadable(batch.bytes)}});
      room.top = {state.lineage.epoch_at(batch.last, state.top.epoch), batch.last};
      room.floor = std::max(room.floor, batch.last);
      room.lineage = state.lineage;
      if (room.is_wanted) tell_state(room);
    }
  }
  cross_into(room, state);
  return room.top.offset >= state.top.offset || state.batches.empty();
}

/// The log has lost what was passed on last: the room goes on after what both have. False if the log has
/// more, which is read then.
bool Redis::go_back(Room& room, const RedisLogState& state) {
  const auto common = state.lineage.last_common(state.top, room.lineage, room.top);
  stats_.lost_messages += room.top.offset - std::min(room.top.offset, common.value_or(0));
  if (state.top.epoch != room.top.epoch) ++stats_.forks;
  move_to(room, state);
  if (common) room.top = {state.lineage.epoch_at(*common, state.top.epoch), *common};
  if (room.is_wanted) tell_state(room);
  return room.top.offset == state.top.offset;
}

/// Where the epoch of the room's top has ended, the log goes on in the next.
void Redis::cross_into(Room& room, const RedisLogState& state) {
  const std::uint64_t epoch = state.lineage.epoch_at(room.top.offset + 1, state.top.epoch);
  if (epoch == room.top.epoch) {
    room.lineage = state.lineage;
    return;
  }
  ++stats_.forks;
  room.top.epoch = epoch;
  room.lineage = state.lineage;
  if (room.is_wanted) tell_state(room);
}

/// Passes on what a batch has after the room's top. `state`: where it was read from, for what has been
/// amended since; null of a push. False if the batch can't be read.
bool Redis::pass_on(Room& room, std::uint64_t first, std::string_view batch, const RedisLogState* state) {
  std::optional<std::vector<RedisBatch::Entry>> entries = RedisBatch::read(batch, node_);
  if (!entries) {
    ++stats_.unreadable;
    return false;
  }
  std::uint64_t offset = first - 1;
  for (RedisBatch::Entry& entry : *entries) {
    if (++offset <= room.top.offset) continue;
    const hub::Position position{room.top.epoch, offset};
    room.top = position;
    if (state != nullptr) {
      ++stats_.repaired_messages;
      if (!entry.amendment) apply_amended(entry.message, offset, *state);
    }
    entry.message.position = position;
    if (!room.is_told) continue;
    if (entry.amendment) {
      const bool is_clear = entry.amendment->what == hub::Amendment::What::cleared;
      hub::Position& about = entry.amendment->message.position;
      if (is_clear) about.offset = offset - 1;
      about.epoch = room.lineage.epoch_at(about.offset, position.epoch);
      if (is_clear) room.floor = std::max(room.floor, about.offset);
      events_->on_amended(room.name, std::move(*entry.amendment));
    }
    events_->on_message(room.name, std::move(entry.message));
  }
  const std::size_t count = entries->size();
  tails_.keep(room.tail, {room.top.epoch, first + count - 1}, count, batch, parts_.clock.monotonic_ms());
  if (room.has_own()) room.base::Linked<RedisRoomsWithOwn>::unlink();
  return true;
}

/// Puts in the message's place what stands there now.
void Redis::apply_amended(hub::Message& message, std::uint64_t offset, const RedisLogState& state) const {
  const auto found = std::find_if(state.amended.begin(), state.amended.end(),
                                  [&](const RedisLogState::Amended& one) { return one.offset == offset; });
  if (found == state.amended.end()) return;
  const std::int64_t time_ms = message.time_ms;
  auto now = RedisBatch::read(found->bytes, node_);
  const bool is_replaced = now && now->size() == 1 && now->front().amendment;
  message = is_replaced ? std::move(now->front().amendment->message) : hub::Message();
  message.is_removed = !is_replaced;
  message.time_ms = time_ms;
}

/// Own messages that were answered and did not come as pushes: the room is out of step.
void Redis::look_at_own(std::int64_t now_ms) {
  for (std::size_t i = 0; i < looks_per_call; ++i) {
    Room* const room = with_own_.front();
    if (room == nullptr || now_ms < room->own_due_ms) return;
    room->base::Linked<RedisRoomsWithOwn>::unlink();
    if (room->has_own() || !room->is_subscribed) continue;
    ++stats_.overdue_own;
    need_sync(*room);
  }
}

// --- Pages ---

void Redis::read(std::string_view name, const hub::Position& after, std::size_t messages_max,
                 std::size_t bytes_max, hub::Ticket ticket) {
  const RedisPartition partition = redis_partition_of(name);
  if (!partitions_.at(partition).has_calls || !parts_.port.has_space_for(partition, name.size()))
    return events_->on_page(ticket, link_is_down);
  const RedisCallId call = ++last_call_;
  readings_.emplace(call, Reading{std::string(name), after, ticket, messages_max});
  parts_.port.sync(call, {name, after.offset, messages_max, bytes_max, limits_of(name)});
}

void Redis::read_back(std::string_view name, const hub::Position& before, std::size_t messages,
                      std::size_t messages_max, std::size_t bytes_max, hub::Ticket ticket) {
  const std::uint64_t after = before.offset - std::min<std::uint64_t>(before.offset, messages);
  read(name, {before.epoch, after}, messages_max, bytes_max, ticket);
}

void Redis::on_page(const Reading& reading, base::Result<RedisLogState, RedisFault>&& outcome) {
  // Where the log has lost that position on_resumed says so: a page would leave out what is there now
  // instead.
  const hub::Position& after = reading.after;
  if (!outcome || (after.offset != 0 && !outcome->lineage.has(after, outcome->top)))
    return events_->on_page(reading.ticket, link_is_down);
  hub::LogPage page;
  page.floor = outcome->floor;
  // The stream as a whole lives as long as its last message: those past their age are passed over here.
  const std::int64_t age_ms = limits_of(reading.room).age_ms;
  const std::int64_t oldest_ms = age_ms == 0 ? 0 : parts_.clock.wall_ms() - age_ms;
  for (const RedisLogState::Batch& batch : outcome->batches) {
    auto entries = RedisBatch::read(batch.bytes, node_);
    if (!entries || entries->size() > batch.last) break;
    std::uint64_t offset = batch.last - entries->size();
    for (RedisBatch::Entry& entry : *entries) {
      if (++offset <= after.offset || offset <= page.floor) continue;
      if (page.messages.size() == reading.messages_max) break;
      if (page.messages.empty() && entry.message.time_ms < oldest_ms) {
        page.floor = offset;
        continue;
      }
      if (!entry.amendment) apply_amended(entry.message, offset, *outcome);
      entry.message.position = {outcome->lineage.epoch_at(offset, outcome->top.epoch), offset};
      page.messages.push_back(std::move(entry.message));
    }
  }
  page.after = std::max(after.offset, page.floor);
  const bool is_past_its_age = page.messages.empty() && page.floor > outcome->floor;
  if (is_past_its_age && page.floor < outcome->top.offset) {
    const hub::Position next{outcome->lineage.epoch_at(page.floor, outcome->top.epoch), page.floor};
    return read(std::string(reading.room), next, reading.messages_max, sync_bytes, reading.ticket);
  }
  events_->on_page(reading.ticket, std::move(page));
}

}  // namespace roomcast::engine
