#include "hub/retention.h"

#include <algorithm>

#include "hub/room.h"

namespace roomcast::hub {

namespace {

// Of the maps, lists and deadlines that know a room, and of the engine's note of it.
constexpr std::size_t room_overhead = 320;

// A source with more than this part of what is remembered loses its own first: a quarter.
constexpr std::size_t largest_share = 4;

constexpr std::size_t forgotten_per_call = 16;
constexpr std::size_t forgotten_per_slice = 256;

}  // namespace

std::size_t Retention::room_cost(std::string_view name) {
  return sizeof(Room) + room_overhead + 3 * name.size();
}

void Retention::add(Room& room) {
  room_bytes_ += room_cost(room.name());
  kept_bytes_.add(0, room_cost(room.name()));
  touch(room);
}

void Retention::keep(Room& room, const Message& message) {
  room.log().history().append(message, clock_.monotonic_ms(), room.settings().history);
  touch(room);
  if (weight_of(message.source) > weight_of(heaviest_)) heaviest_ = message.source;
}

void Retention::touch(Room& room) {
  room.touched_ms_ = clock_.monotonic_ms();
  put_in_list(room);
  if (room.retention_list_ != nullptr)
    room.retention_list_->splice(room.retention_list_->end(), *room.retention_list_, room.place_);
  if (room.source_ != 0) {
    RoomList& rooms = by_source_[room.source_];
    rooms.splice(rooms.end(), rooms, room.place_of_source_);
  }
  // What is due can only have become due later: whoever looks too early looks again.
  if (!room.due_.is_set()) set_due(room);
}

void Retention::on_idle(Room& room) {
  put_in_list(room);
  if (!room.due_.is_set()) set_due(room);
}

void Retention::forget_history(Room& room) {
  room.log().history().clear();
  put_in_list(room);
}

void Retention::trim(Room& room) {
  const std::int64_t now_ms = clock_.monotonic_ms();
  room.log().history().trim(now_ms, room.settings().history);
  put_in_list(room);
  const bool is_over = room.retention_list_ == &empty_rooms_ && !room.awaits_return() &&
                       now_ms - room.touched_ms_ >= room.settings().history.age_ms;
  if (is_over) return forget(room);
  set_due(room);
}

void Retention::set_due(Room& room) {
  const bool has_history = !room.log().history().empty();
  // Whoever ends its use, or the wait for somebody's return, has it looked at again.
  if (!has_history && (room.is_in_use() || room.awaits_return())) return room.due_.clear();
  const std::int64_t since_ms = has_history ? room.log().history().oldest_ms() : room.touched_ms_;
  const std::int64_t due_ms = since_ms + room.settings().history.age_ms;
  room.due_.set_in(std::max<std::int64_t>(due_ms - clock_.monotonic_ms(), 0));
}

/// Where the room is found when it is time to forget; at the end, if it was not there before.
void Retention::put_in_list(Room& room) {
  put_with_source(room);
  RoomList* list = !room.log().history().empty() ? &rooms_with_messages_
                   : room.is_in_use()            ? nullptr
                                                 : &empty_rooms_;
  if (list == room.retention_list_) return;
  if (list == nullptr) {
    room.retention_list_->erase(room.place_);
  } else if (room.retention_list_ == nullptr) {
    room.place_ = list->insert(list->end(), &room);
  } else {
    list->splice(list->end(), *room.retention_list_, room.place_);
  }
  room.retention_list_ = list;
}

/// The same among the rooms of whoever published its oldest message.
void Retention::put_with_source(Room& room) {
  const Source source = room.log().history().empty() ? Source{0} : room.log().history()[0].source;
  if (source == room.source_) return;
  const std::size_t cost = room_cost(room.name());
  if (room.source_ != 0) {
    const auto found = by_source_.find(room.source_);
    found->second.erase(room.place_of_source_);
    if (found->second.empty()) by_source_.erase(found);
  }
  kept_bytes_.remove(room.source_, cost);
  kept_bytes_.add(source, cost);
  room.source_ = source;
  if (source == 0) return;
  RoomList& rooms = by_source_[source];
  room.place_of_source_ = rooms.insert(rooms.end(), &room);
}

void Retention::keep_within(std::size_t limit_bytes) {
  for (std::size_t i = 0; i < forgotten_per_call && bytes() > limit_bytes && forget_next(); ++i) {
  }
}

bool Retention::forget_some(std::size_t limit_bytes) {
  for (std::size_t i = 0; i < forgotten_per_slice; ++i) {
    if (shed_rooms_ != 0 && !empty_rooms_.empty()) {
      --shed_rooms_;
      forget(*empty_rooms_.front());
    } else if (history_bytes() > shed_bytes_ && !rooms_with_messages_.empty()) {
      drop_oldest_message();
    } else {
      shed_rooms_ = 0;
      shed_bytes_ = std::numeric_limits<std::size_t>::max();
      if (bytes() <= limit_bytes || !forget_next()) return false;
    }
  }
  return true;
}

bool Retention::forget_next() {
  if (!empty_rooms_.empty()) {
    forget(*empty_rooms_.front());
  } else if (!rooms_with_messages_.empty()) {
    drop_oldest_message();
  } else {
    return false;
  }
  return true;
}

std::size_t Retention::shed_half() {
  if (empty_rooms_.empty() && rooms_with_messages_.empty()) return 0;
  const std::size_t before = bytes();
  shed_rooms_ = (empty_rooms_.size() + 1) / 2;
  shed_bytes_ = history_bytes() / 2;
  const std::size_t likely = shed_rooms_ * room_cost({}) + (history_bytes() - shed_bytes_);
  const bool has_more = forget_some(std::numeric_limits<std::size_t>::max());
  return has_more ? likely : before - bytes();
}

/// There is a room with messages.
void Retention::drop_oldest_message() {
  Room& room = next_to_lose();
  room.log().history().drop_oldest();
  put_in_list(room);
}

Room& Retention::next_to_lose() {
  const auto found = by_source_.find(heaviest_);
  const bool has_own = found != by_source_.end() && weight_of(heaviest_) > bytes() / largest_share;
  return has_own ? *found->second.front() : *rooms_with_messages_.front();
}

void Retention::forget(Room& room) {
  room.retention_list_->erase(room.place_);
  room_bytes_ -= room_cost(room.name());
  kept_bytes_.remove(room.source_, room_cost(room.name()));
  owner_.on_forgotten(room);
}

}  // namespace roomcast::hub
