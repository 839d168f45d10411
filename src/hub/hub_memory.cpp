// What the hub remembers, and when it forgets.
#include <algorithm>

#include "hub/hub.h"

namespace roomcast::hub {

namespace {

// Of the maps, lists and deadlines that know a room, and of the engine's note of it.
constexpr std::size_t room_overhead = 320;

}  // namespace

std::size_t Hub::remembering_cost(const Room& room) {
  return sizeof(Room) + room_overhead + 3 * room.name().size();
}

void Hub::set_rules(RoomRules rules) {
  // The rooms point into the rules.
  rules_ = std::move(rules);
  for (const auto& [name, room] : rooms_) {
    room->set_settings(rules_.find(name));
    tell_of_presence(*room);
  }
  std::vector<Room*> all;
  all.reserve(rooms_.size());
  for (const auto& [name, room] : rooms_)
    all.push_back(room.get());
  for (Room* room : all)
    trim(*room);
}

void Hub::touch(Room& room) {
  room.touched_ms_ = parts_.clock.monotonic_ms();
  put_on_shelf(room);
  if (room.shelf_ != nullptr) room.shelf_->splice(room.shelf_->end(), *room.shelf_, room.place_);
  set_due(room);
}

void Hub::on_due(Room& room) { trim(room); }

/// Drops what has aged out, all of the room if nothing is left to remember.
void Hub::trim(Room& room) {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  const std::size_t before = room.history().bytes();
  room.history().trim(now_ms, room.settings().history);
  history_bytes_ -= before - room.history().bytes();
  const bool is_over = room.members() == 0 && !room.presence_ && room.history().empty() && !room.has_work() &&
                       room.touched_ms_ + room.settings().history.age_ms <= now_ms;
  if (is_over) return forget(room);
  put_on_shelf(room);
  set_due(room);
}

void Hub::set_due(Room& room) {
  const bool has_history = !room.history().empty();
  // Once the last one's grace time is over this is looked at again.
  if (!has_history && (room.members() != 0 || room.presence_)) return room.due_.clear();
  const std::int64_t since_ms = has_history ? room.history().oldest_ms() : room.touched_ms_;
  const std::int64_t due_ms = since_ms + room.settings().history.age_ms;
  room.due_.set_in(std::max<std::int64_t>(due_ms - parts_.clock.monotonic_ms(), 0));
}

/// Where the room would be found when it is time to forget; its place there is the end, if that is new.
void Hub::put_on_shelf(Room& room) {
  const bool is_bare = room.members() == 0 && !room.has_work();
  Shelf* shelf = !room.history().empty() ? &kept_ : is_bare ? &bare_ : nullptr;
  if (shelf == room.shelf_) return;
  if (shelf == nullptr) {
    room.shelf_->erase(room.place_);
  } else if (room.shelf_ == nullptr) {
    room.place_ = shelf->insert(shelf->end(), &room);
  } else {
    shelf->splice(shelf->end(), *room.shelf_, room.place_);
  }
  room.shelf_ = shelf;
}

/// The emptiest go first, then the oldest messages of the room that has been quiet longest.
void Hub::keep_within_limits() {
  while (history_bytes_ > limits_.history_bytes) {
    if (!bare_.empty()) {
      forget(*bare_.front());
    } else if (!kept_.empty()) {
      Room& room = *kept_.front();
      const std::size_t before = room.history().bytes();
      room.history().drop_oldest();
      history_bytes_ -= before - room.history().bytes();
      if (room.history().empty()) put_on_shelf(room);
    } else {
      return;
    }
  }
}

void Hub::forget(Room& room) {
  if (room.shelf_ != nullptr) room.shelf_->erase(room.place_);
  replaying_.erase(std::remove(replaying_.begin(), replaying_.end(), &room), replaying_.end());
  if (room.telling_) telling_.erase(std::find(telling_.begin(), telling_.end(), &room));
  history_bytes_ -= remembering_cost(room);
  parts_.engine.unsubscribe(room.name());
  rooms_.erase(rooms_.find(room.name()));
}

}  // namespace roomcast::hub
