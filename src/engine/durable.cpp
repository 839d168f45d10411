// Rooms: found, loaded, changed by rules, and forgotten.
#include "engine/durable.h"

#include <algorithm>
#include <string>
#include <utility>

namespace roomcast::engine {

namespace {

constexpr std::size_t rules_per_slice = 256;
// What is done of loads in a turn: a room, a key or a publish that waited for the room counts one. One
// room has up to 1,000 keys and 256 publishes.
constexpr std::size_t load_work_per_turn = 1'024;
// Answers that wait for a later turn; with more, a room is refused as if the store had too many to find.
constexpr std::size_t loaded_max = 256;
constexpr hub::Refusal too_many_loads{hub::Refusal::Code::store_busy, "too many rooms are being opened"};
/// What a record without a body and what may precede it take.
constexpr std::size_t mark_bytes = 512;

}  // namespace

Durable::Durable(const Parts& parts, hub::RoomRules rules, const Limits& limits)
    : parts_(parts),
      rules_(std::move(rules)),
      limits_(limits),
      memory_(parts.clock),
      load_work_left_(load_work_per_turn),
      due_(parts.deadlines, *this) {}

Durable::~Durable() { parts_.scheduler.forget(*this); }

void Durable::start(hub::EngineEvents& events) {
  events_ = &events;
  memory_.start(events);
  parts_.store.start(*this);
}

DurableRoom* Durable::find(std::string_view name) {
  if (last_used_ != nullptr && last_used_->name == name) return last_used_;
  const auto* const found = rooms_.find(name);
  if (found == nullptr) return nullptr;
  return last_used_ = found->second.get();
}

DurableRoom& Durable::make_room(std::string_view name) {
  const auto& [entry, is_new] = rooms_.try_emplace(std::string(name), std::make_unique<Room>());
  Room& room = *entry.second;
  room.name = entry.first;
  room.index = all_.size();
  room.level = room.wanted = rules_.find(name).durability;
  all_.push_back(&room);
  return room;
}

// --- Subscriptions ---

void Durable::subscribe(std::string_view name, hub::Source source) {
  Room* const found = find(name);
  Room& room = found != nullptr ? *found : make_room(name);
  room.is_subscribed = true;
  if (room.level == hub::Durability::none) {
    room.is_known = true;
    return memory_.subscribe(name);
  }
  if (!room.log.is_open()) return load(room, source);
  room.is_known = true;
  events_->on_subscribed(room.name, room.log.state_at(room.announced));
}

void Durable::unsubscribe(std::string_view name) {
  Room* const room = find(name);
  if (room == nullptr) return;
  room->is_subscribed = room->is_known = false;
  if (room->level == hub::Durability::none) memory_.unsubscribe(name);
  if (room->is_aside) leave_aside(*room);
  retire(*room);
}

/// Nobody needs the room any more: it is forgotten once all of it is on the disk.
void Durable::retire(Room& room) {
  if (room.log.has_reserve()) (void)take_reserve_back(room);
  if (room.log.last_batch() > committed_) await_last_batch(room);
  erase_if_idle(room);
}

/// Has on_settled called when all records of the room are on the disk.
void Durable::await_last_batch(Room& room) {
  const Room::Pending* const last = room.pending.back();
  if (last != nullptr && last->batch >= room.log.last_batch()) return;
  add_pending(room, Room::Pending::What::nothing, room.log.last_batch(), 0);
}

void Durable::erase_if_idle(Room& room) {
  const bool is_idle = !room.is_subscribed && !room.is_loading && room.users == 0 && room.early.empty() &&
                       !room.log.has_reserve() && room.log.last_batch() <= committed_;
  if (!is_idle) return;
  drop_keys(room);
  if (room.log.id() != 0) parts_.store.forget(room.log.id());
  if (last_used_ == &room) last_used_ = nullptr;
  all_[room.index] = all_.back();
  all_[room.index]->index = room.index;
  all_.pop_back();
  rooms_.erase(*rooms_.find(room.name));
}

/// Records that no further offsets may have been given. False if the disk does not take it now.
bool Durable::take_reserve_back(Room& room) {
  if (parts_.store.state() != store::State::ok || !parts_.store.has_space_for(mark_bytes)) return false;
  room.log.close(begin_records(room));
  room.base::Linked<RoomsByPublish>::unlink();
  parts_.store.appended();
  if (!room.is_subscribed || room.wanted != room.level) await_last_batch(room);
  return true;
}

void Durable::close() {
  while (Room* const room = reserved_.front()) {
    if (!take_reserve_back(*room)) return;
  }
}

// --- Loading ---

void Durable::load(Room& room, hub::Source source) {
  if (room.is_loading && (room.is_load_answered || room.loaded_for == source)) return;
  if (!std::exchange(room.is_loading, true)) ++loading_;
  room.loaded_for = source;
  room.base::Linked<RoomsToLoad>::unlink();
  if (loaded_.size() < loaded_max) return parts_.store.load(room.name, source);
  room.is_load_answered = true;
  loaded_.push_back({&room, too_many_loads});
  parts_.scheduler.mark_deferred(*this);
}

void Durable::on_loaded(std::string_view name, base::Result<store::RoomExtent, hub::Refusal>&& extent) {
  Room* const room = find(name);
  if (room == nullptr || !room->is_loading || room->is_load_answered) return;
  parts_.scheduler.mark_deferred(*this);
  if (loaded_.empty() && load_work_left_ != 0) return finish_load(*room, std::move(extent));
  room->is_load_answered = true;
  loaded_.push_back({room, std::move(extent)});
}

void Durable::finish_load(Room& room, base::Result<store::RoomExtent, hub::Refusal>&& extent) {
  const std::size_t work = 1 + room.early.size() + (extent ? extent->keys.size() : 0);
  load_work_left_ -= std::min(work, load_work_left_);
  room.is_loading = room.is_load_answered = false;
  --loading_;
  if (!extent) return refuse_room(room, extent.error());
  // What could not be loaded goes on as soon as others can.
  load_some_again(1);
  open_room(room, *extent);
}

/// A slice of what the store has answered. True if there is more.
bool Durable::finish_some_loads() {
  load_work_left_ = load_work_per_turn;
  while (!loaded_.empty() && load_work_left_ != 0) {
    Loaded first = std::move(loaded_.front());
    loaded_.pop_front();
    finish_load(*first.room, std::move(first.extent));
  }
  return !loaded_.empty();
}

void Durable::load_some_again(std::size_t most) {
  for (; most != 0 && !to_load_.empty(); --most)
    load(*to_load_.front());
}

void Durable::open_room(Room& room, const store::RoomExtent& extent) {
  if (extent.ceiling > extent.top) ++stats_.crash_holes;
  room.log.open(extent);
  room.announced = room.log.top();
  load_keys(room, extent.keys);
  if (room.is_subscribed) {
    const hub::LogState state = room.log.state_at(room.announced);
    if (std::exchange(room.is_known, true)) {
      events_->on_resumed(room.name, state);
    } else {
      events_->on_subscribed(room.name, state);
    }
  }
  for (Room::Early& early : take_early(room)) {
    if (early.amendment) {
      amend_now(room, std::move(*early.amendment), early.ticket);
    } else {
      publish_now(room, std::move(early.draft), early.ticket);
    }
  }
  if (!room.is_subscribed) return retire(room);
  switch_level(room);
}

void Durable::refuse_room(Room& room, const hub::Refusal& refusal) {
  ++stats_.rooms_refused;
  for (const Room::Early& early : take_early(room))
    answer(early.ticket, refusal);
  if (room.is_known) {
    // The hub has been told that it is lost: that it is there again is all that it can be told next.
    to_load_.push_back(room);
    return watch_time();
  }
  if (std::exchange(room.is_subscribed, false)) events_->on_subscribe_refused(room.name, refusal);
  erase_if_idle(room);
}

// --- Rules ---

void Durable::set_rules(hub::RoomRules rules) {
  rules_ = std::move(rules);
  rules_due_ = all_.size();
  apply_rules_to_some();
  if (rules_due_ != 0) parts_.scheduler.mark_deferred(*this);
}

void Durable::apply_rules_to_some() {
  // From the back, so that rooms that are forgotten meanwhile leave no other one out.
  for (std::size_t i = 0; i < rules_per_slice && rules_due_ != 0; ++i) {
    rules_due_ = std::min(rules_due_, all_.size());
    if (rules_due_ == 0) return;
    Room& room = *all_[--rules_due_];
    room.wanted = rules_.find(room.name).durability;
    switch_level(room);
  }
}

/// Brings the room's level in line with the rules, as far as that is possible now.
void Durable::switch_level(Room& room) {
  constexpr hub::Durability none = hub::Durability::none;
  if (room.level == room.wanted) return;
  if (room.is_aside) come_back(room);
  if (room.level != none && room.wanted != none) {
    room.level = room.wanted;
    if (room.level == hub::Durability::sync && room.log.has_reserve()) (void)take_reserve_back(room);
    return;
  }
  if (room.level == none) {
    room.level = room.wanted;
    memory_.unsubscribe(room.name);
    if (room.is_known) events_->on_lost(room.name);
    return load(room);
  }
  if (room.is_loading || !room.log.is_open()) return;  // again when it has been loaded
  if (room.log.has_reserve() && !take_reserve_back(room)) return;
  if (room.log.last_batch() > committed_) await_last_batch(room);
  if (!room.pending.empty()) return;
  drop_keys(room);
  if (room.log.id() != 0) parts_.store.forget(room.log.id());
  room.level = none;
  room.log = {};
  room.announced = 0;
  if (room.is_subscribed) events_->on_resumed(room.name, hub::LogState(memory_.begin(room.name)));
}

}  // namespace roomcast::engine
