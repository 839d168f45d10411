// Publishes: into a batch, and to the hub at once or when the batch is on the disk.
#include <algorithm>
#include <string>
#include <utility>

#include "engine/durable.h"

namespace roomcast::engine {

namespace {

using Code = hub::Refusal::Code;

constexpr hub::Refusal disk_busy{
    Code::store_busy, "the disk is slower than messages come (store.queue_bytes): the message was not kept"};
constexpr hub::Refusal disk_full{Code::store_full,
                                 "the disk is full (store.path, store.disk_bytes): the message was not kept"};
constexpr hub::Refusal disk_failed{Code::store_failed,
                                   "the disk fails (store.path): the message was not kept"};
constexpr hub::Refusal no_room_numbers{
    Code::store_full,
    "the store has given all its room numbers (4,294,901,760) and takes no new rooms: the message was not "
    "kept; export the store and import it into a new one"};
constexpr hub::Refusal room_busy{
    Code::store_busy, "too many messages wait for the room to be loaded: the message was not kept"};
constexpr std::int64_t log_left_out_ms = 60'000;
// A commit that takes longer may never come.
constexpr std::int64_t disk_away_ms = 2'000;
// A room is put in order of publishes so often, at most.
constexpr std::int64_t in_order_ms = 1'000;
// What a publish finishes of what is on the disk in its room, at most, so that it need not wait behind it.
constexpr std::size_t settled_per_publish = 32;

store::PublishKey publish_key(const hub::DraftKey& key) {
  store::PublishKey made;
  if (key.empty()) return made;
  made.text = key.text();
  std::copy_n(key.digest().begin(), made.digest.size(), made.digest.begin());
  return made;
}

/// At least what the records of the draft and those before it take in a batch.
std::size_t record_bytes(const DurableRoom& room, const hub::Draft& draft) {
  constexpr std::size_t fixed = 256;
  return fixed + draft.payload.size() + draft.author.name().size() + draft.author.principal().size() +
         draft.labels.held_bytes() + draft.key.text().size() + (room.log.is_written() ? 0 : room.name.size());
}

}  // namespace

void Durable::publish(std::string_view name, hub::Draft&& draft, hub::Ticket ticket) {
  Room* const room = find(name);
  if (room == nullptr) return refuse(ticket, {Code::unavailable, "the room is not open"});
  if (room->level == hub::Durability::none) return memory_.publish(name, std::move(draft), ticket);
  if (!room->log.is_open()) {
    const std::size_t bytes = record_bytes(*room, draft);
    return wait_for_room(*room, {std::move(draft), ticket}, bytes);
  }
  publish_now(*room, std::move(draft), ticket);
}

void Durable::publish_now(Room& room, hub::Draft&& draft, hub::Ticket ticket) {
  if (!draft.key.empty() && answer_repeat(room, draft, ticket)) return;
  if (room.level == hub::Durability::sync) return publish_sync(room, std::move(draft), ticket);
  publish_async(room, std::move(draft), ticket);
}

void Durable::wait_for_room(Room& room, Room::Early&& early, std::size_t bytes) {
  // One message may always wait, however large.
  if (!room.early.empty() && room.early_bytes + bytes > loading_bytes_max)
    return refuse(early.ticket, room_busy);
  room.early_bytes += bytes;
  early.since_ms = parts_.clock.monotonic_ms();
  room.early.push_back(std::move(early));
  with_early_.push_back(room);
  watch_time();
}

std::vector<DurableRoom::Early> Durable::take_early(Room& room) {
  room.early_bytes = room.early_answered = 0;
  room.base::Linked<RoomsWithEarly>::unlink();
  return std::exchange(room.early, {});
}

void Durable::publish_sync(Room& room, hub::Draft&& draft, hub::Ticket ticket) {
  const std::size_t bytes = record_bytes(room, draft);
  if (const auto refusal = why_not_kept(room, bytes)) return refuse(ticket, *refusal);
  hub::DraftKey key = std::move(draft.key);
  hub::Message message = next_message(room, draft);
  room.log.append(begin_records(room), message, publish_key(key));
  room.log.count(bytes);
  wait_for_batch(room, room.log.last_batch(), {std::move(message), std::move(key), bytes, ticket});
  parts_.store.appended();
}

void Durable::publish_async(Room& room, hub::Draft&& draft, hub::Ticket ticket) {
  // Not in rooms that something else may be done with afterwards: on_settled.
  if (room.is_subscribed && room.level == room.wanted) {
    const Room::Pending* const first = room.pending.front();
    if (first != nullptr && first->batch <= committed_) (void)settle(room, settled_per_publish);
  }
  if (room.is_aside) return publish_aside(room, std::move(draft), ticket);
  const bool is_live = room.announced == room.log.top() && room.log.is_reserved(committed_);
  const std::size_t bytes = record_bytes(room, draft);
  if (const auto refusal = why_not_kept(room, bytes)) {
    if (is_live) return leave_out(room, std::move(draft), ticket);
    if (!is_disk_away(room)) return refuse(ticket, *refusal);
    return publish_aside(room, std::move(draft), ticket);
  }
  if (!is_live && is_disk_away(room)) return publish_aside(room, std::move(draft), ticket);
  hub::DraftKey key = std::move(draft.key);
  hub::Message message = next_message(room, draft);
  std::string& batch = begin_records(room);
  const bool reserves = room.log.needs_reserve();
  if (reserves) room.log.reserve(batch, room.log.last_batch(), committed_);
  room.log.append(batch, message, publish_key(key));
  room.log.count(bytes);
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  if (reserves || now_ms - room.published_ms >= in_order_ms) {
    room.published_ms = now_ms;
    reserved_.push_back(room);
    watch_time();
  }
  if (is_live) {
    const hub::Position position = message.position;
    announce(room, std::move(message));
    answer(ticket, hub::Published{position});
  } else {
    const Room::Pending* const last = room.pending.back();
    const Batch before = last == nullptr ? 0 : last->batch;
    wait_for_batch(room, std::max(room.log.reserving_batch(), before),
                   {std::move(message), std::move(key), bytes, ticket});
  }
  parts_.store.appended();
}

/// Has a message, whose record is in a batch, announced and answered when `batch` is on the disk.
void Durable::wait_for_batch(Room& room, Batch batch, Recorded&& recorded) {
  Room::Pending& pending = add_pending(room, Room::Pending::What::publish, batch, recorded.ticket);
  pending.bytes = static_cast<std::uint32_t>(recorded.bytes);
  pending.message = std::move(recorded.message);
  pending.key = std::move(recorded.key);
  room.pending_bytes += recorded.bytes;
  remember_key(room, pending.key, pending.message.position.offset, pending.batch);
}

/// Announces a message that is not kept.
void Durable::leave_out(Room& room, hub::Draft&& draft, hub::Ticket ticket) {
  ++stats_.left_out;
  hub::Message message = next_message(room, draft);
  const hub::Position position = message.position;
  room.log.leave_out();
  announce(room, std::move(message));
  answer(ticket, hub::Published{position});
  log_left_out(room);
}

/// Whether the room has to go aside for the next message to be delivered soon.
bool Durable::is_disk_away(const Room& room) const {
  if (!room.is_known) return false;
  if (parts_.store.state() != store::State::ok) return true;
  const Room::Pending* const first = room.pending.front();
  return first != nullptr && first->batch > committed_ &&
         parts_.clock.monotonic_ms() - first->since_ms >= disk_away_ms;
}

/// Announces a message that is not kept, in a log in memory.
void Durable::publish_aside(Room& room, hub::Draft&& draft, hub::Ticket ticket) {
  if (!std::exchange(room.is_aside, true)) {
    // What waits for the disk brings the room back when it is there.
    if (room.pending.empty()) aside_.push_back(room);
    watch_time();
    events_->on_resumed(room.name, hub::LogState(memory_.begin(room.name)));
  }
  ++stats_.left_out;
  memory_.publish(room.name, std::move(draft), ticket);
  log_left_out(room);
}

void Durable::log_left_out(const Room& room) {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  if (left_out_logged_ != 0 && now_ms - left_out_logged_ms_ < log_left_out_ms) return;
  const std::uint64_t messages = stats_.left_out - left_out_logged_;
  left_out_logged_ms_ = now_ms;
  left_out_logged_ = stats_.left_out;
  parts_.log.warn("messages are delivered and not kept: the disk does not take them",
                  {{"messages", messages}, {"room", room.name}});
}

/// Why the store does not take so many bytes of the room; nothing if it does.
std::optional<hub::Refusal> Durable::why_not_kept(const Room& room, std::size_t bytes) const {
  const store::State state = parts_.store.state();
  if (state == store::State::full) return disk_full;
  if (state == store::State::failed) return disk_failed;
  if (lacks_number(room)) return no_room_numbers;
  // What the room has waiting counts twice: alone it gets half of the queue, and less beside others.
  const std::size_t waiting = std::max(room.pending_bytes, room.log.queued_bytes(committed_));
  const bool has_space = order_.size() < waiting_max && parts_.store.has_space_for(bytes + waiting);
  return has_space ? std::nullopt : std::optional(disk_busy);
}

hub::Message Durable::next_message(Room& room, hub::Draft& draft) {
  return {draft.kind,
          std::move(draft.payload),
          std::move(draft.author),
          draft.sender,
          {room.log.epoch(), room.log.top() + 1},
          room.log.time_not_before_last(parts_.clock.wall_ms()),
          draft.source,
          std::move(draft.labels)};
}

std::string& Durable::begin_records(Room& room) {
  std::string& batch = parts_.store.batch();
  room.log.begin_records(batch, parts_.store.batch_number(), room.name,
                         [this] { return parts_.store.next_room_id(); });
  return batch;
}

DurableRoom::Pending& Durable::add_pending(Room& room, Room::Pending::What what, Batch batch,
                                           hub::Ticket ticket) {
  if (spare_.empty()) spare_.emplace_back();
  const Order::iterator place = spare_.begin();
  order_.splice(order_.end(), spare_, place);
  if (not_late_ == order_.end()) not_late_ = place;
  Room::Pending& pending = *place;
  pending.place = place;
  pending.what = what;
  pending.room = &room;
  pending.batch = batch;
  pending.since_ms = parts_.clock.monotonic_ms();
  pending.ticket = ticket;
  room.pending.push_back(pending);
  ++room.users;
  watch_time();
  return pending;
}

void Durable::announce(Room& room, hub::Message&& message) {
  room.announced = message.position.offset;
  if (room.is_subscribed) events_->on_message(room.name, std::move(message));
}

void Durable::answer(hub::Ticket ticket, const hub::PublishOutcome& outcome) {
  if (ticket != 0) events_->on_published(ticket, outcome);
}

void Durable::refuse(hub::Ticket ticket, const hub::Refusal& refusal) {
  if (refusal.code == Code::store_busy) ++stats_.refused_busy;
  if (refusal.code == Code::store_full) ++stats_.refused_full;
  if (refusal.code == Code::store_failed) ++stats_.refused_failed;
  answer(ticket, refusal);
}

}  // namespace roomcast::engine
