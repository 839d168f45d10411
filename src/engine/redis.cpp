// Rooms: found, made, subscribed as connections come and go, and forgotten.
#include "engine/redis.h"

#include <algorithm>
#include <utility>

namespace roomcast::engine {

namespace {

constexpr std::size_t subscribes_per_slice = 512;
constexpr std::int64_t redis_look_ms = 250;

}  // namespace

Redis::Redis(const Parts& parts, std::uint64_t node, hub::RoomRules rules, const Limits& limits)
    : parts_(parts),
      node_(node),
      rules_(std::move(rules)),
      limits_(limits),
      presence_({parts.port, parts.clock, parts.deadlines, parts.scheduler}, node),
      tails_(limits.restores ? RedisTails::Limits() : RedisTails::Limits{0, 0, 0}),
      due_(parts.deadlines, *this) {}

Redis::~Redis() { parts_.scheduler.forget(*this); }

void Redis::start(hub::EngineEvents& events) {
  events_ = &events;
  presence_.start(events);
  parts_.port.start(*this);
}

RedisRoom* Redis::find(std::string_view name) {
  const auto* const found = rooms_.find(name);
  return found == nullptr ? nullptr : found->second.get();
}

RedisRoom& Redis::find_or_make(std::string_view name) {
  if (Room* const found = find(name)) return *found;
  const auto& [entry, is_new] = rooms_.try_emplace(std::string(name), std::make_unique<Room>());
  Room& room = *entry.second;
  room.name = entry.first;
  room.partition = redis_partition_of(room.name);
  std::vector<Room*>& of_partition = partitions_.at(room.partition).rooms;
  room.index = of_partition.size();
  of_partition.push_back(&room);
  return room;
}

void Redis::erase_if_idle(Room& room) {
  const bool lingers = room.base::Linked<RedisRoomsThatLinger>::is_linked();
  if (room.is_wanted || lingers || room.has_outgoing() || room.sync != 0 || room.restore != 0 ||
      room.noted != 0)
    return;
  tails_.clear(room.tail);
  Partition& partition = partitions_.at(room.partition);
  // Those before to_subscribe stay before it.
  std::size_t hole = room.index;
  if (hole < partition.to_subscribe) {
    --partition.to_subscribe;
    partition.rooms[hole] = partition.rooms[partition.to_subscribe];
    partition.rooms[hole]->index = hole;
    hole = partition.to_subscribe;
  }
  partition.rooms[hole] = partition.rooms.back();
  partition.rooms[hole]->index = hole;
  partition.rooms.pop_back();
  rooms_.erase(*rooms_.find(room.name));
}

RedisLimits Redis::limits_of(std::string_view room) const {
  const hub::HistoryLimits& limits = rules_.find(room).history;
  return {limits.messages, limits.bytes, limits.age_ms};
}

// --- Subscriptions ---

void Redis::subscribe(std::string_view name, hub::Source /*source*/) {
  Room& room = find_or_make(name);
  // Asked again while it waits.
  if (std::exchange(room.is_wanted, true)) return;
  presence_.open(name, room.is_subscribed);
  if (room.base::Linked<RedisRoomsThatLinger>::is_linked()) {
    room.base::Linked<RedisRoomsThatLinger>::unlink();
    --lingering_count_;
    if (room.is_known && room.sync == 0 && !room.base::Linked<RedisRoomsToSync>::is_linked())
      return tell_state(room);
    return;
  }
  if (partitions_.at(room.partition).has_pushes) parts_.port.subscribe(room.name);
}

void Redis::unsubscribe(std::string_view name) {
  Room* const room = find(name);
  if (room == nullptr || !room->is_wanted) return;
  room->is_wanted = room->is_told = room->is_lost = false;
  presence_.close(name);
  if (!room->is_subscribed || lingering_count_ == lingering_max) return stop_listening(*room);
  // Who reloads a page comes back at once.
  room->lingers_until_ms = parts_.clock.monotonic_ms() + limits_.linger_ms;
  lingering_.push_back(*room);
  ++lingering_count_;
  watch_time();
}

/// Neither the hub nor anybody who may come back needs to know what is published in the room.
void Redis::stop_listening(Room& room) {
  if (partitions_.at(room.partition).has_pushes) parts_.port.unsubscribe(room.name);
  room.is_subscribed = room.is_known = room.is_dropping = false;
  room.pushed.clear();
  room.pushed_bytes = 0;
  room.base::Linked<RedisRoomsToSync>::unlink();
  room.base::Linked<RedisRoomsWithOwn>::unlink();
  room.base::Linked<RedisRoomsInDoubt>::unlink();
  tails_.clear(room.tail);
  erase_if_idle(room);
}

// --- Connections ---

void Redis::on_calls(RedisPartition number, bool are_possible) {
  partitions_.at(number).has_calls = are_possible;
  presence_.on_calls(number, are_possible);
  if (are_possible) parts_.scheduler.mark_deferred(*this);
}

void Redis::on_pushes(RedisPartition number, bool are_possible) {
  Partition& partition = partitions_.at(number);
  partition.has_pushes = are_possible;
  partition.to_subscribe = are_possible ? partition.rooms.size() : 0;
  if (are_possible) return parts_.scheduler.mark_deferred(*this);
  // From the back: those that only linger are forgotten.
  for (std::size_t i = partition.rooms.size(); i-- != 0;) {
    Room& room = *partition.rooms[i];
    room.is_subscribed = false;
    room.pushed.clear();
    room.pushed_bytes = 0;
    room.is_dropping = false;
    room.base::Linked<RedisRoomsToSync>::unlink();
    room.base::Linked<RedisRoomsWithOwn>::unlink();
    room.base::Linked<RedisRoomsInDoubt>::unlink();
    if (room.is_told && !std::exchange(room.is_lost, true)) events_->on_lost(room.name);
    if (room.is_wanted) continue;
    if (room.base::Linked<RedisRoomsThatLinger>::is_linked()) {
      room.base::Linked<RedisRoomsThatLinger>::unlink();
      --lingering_count_;
    }
    room.is_known = false;
    tails_.clear(room.tail);
    erase_if_idle(room);
  }
}

/// Subscribes a slice of the rooms of new connections. True if there are more.
bool Redis::subscribe_some() {
  std::size_t left = subscribes_per_slice;
  for (Partition& partition : partitions_) {
    for (; left != 0 && partition.to_subscribe != 0; --left) {
      const Room& room = *partition.rooms[--partition.to_subscribe];
      if (room.is_wanted && !room.is_subscribed) parts_.port.subscribe(room.name);
    }
    if (left == 0) return true;
  }
  return false;
}

bool Redis::is_in_step() const {
  if (queued_bytes_ != 0 || !syncs_.empty() || !to_sync_.empty() || !readings_.empty() ||
      !with_own_.empty() || !in_doubt_.empty() || !restores_.empty())
    return false;
  return std::all_of(partitions_.begin(), partitions_.end(), [](const Partition& partition) {
    return std::all_of(partition.rooms.begin(), partition.rooms.end(), [](const Room* room) {
      return !room->is_wanted || (room->is_told && !room->is_lost);
    });
  });
}

// --- Time ---

void Redis::run_at_turn_end() {
  bool has_more = send_some();
  has_more = subscribe_some() || has_more;
  has_more = sync_some() || has_more;
  if (has_more) parts_.scheduler.mark_deferred(*this);
}

void Redis::on_deadline() {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  answer_overdue(now_ms);
  look_at_own(now_ms);
  look_at_doubts(now_ms);
  tails_.age(now_ms);
  for (std::size_t i = 0; i < subscribes_per_slice; ++i) {
    Room* const room = lingering_.front();
    if (room == nullptr || now_ms < room->lingers_until_ms) break;
    room->base::Linked<RedisRoomsThatLinger>::unlink();
    --lingering_count_;
    stop_listening(*room);
  }
  parts_.scheduler.mark_deferred(*this);
  watch_time();
}

void Redis::watch_time() {
  if (due_.is_set()) return;
  const bool is_needed = !order_.empty() || !with_own_.empty() || !lingering_.empty() || !to_send_.empty() ||
                         !to_sync_.empty() || !in_doubt_.empty() || !tails_.empty();
  if (is_needed) due_.set_in(redis_look_ms);
}

}  // namespace roomcast::engine
