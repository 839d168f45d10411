#include "session/room_set.h"

#include <algorithm>
#include <utility>

namespace roomcast::session {

RoomSet::RoomSet(std::string_view home, hub::Membership* in_home) : home_(home) {
  if (in_home != nullptr) replays_.push_back(in_home);
}

RoomSet::Subscription* RoomSet::find(std::string_view room) {
  const auto found = rooms_.find(room);
  return found == rooms_.end() ? nullptr : &found->second;
}

void RoomSet::add(Subscription subscription) {
  const std::string_view room = subscription.membership->room_name();
  rooms_.emplace(room, std::move(subscription));
}

RoomSet::Subscription RoomSet::take(std::string_view room) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return {};
  Subscription taken = std::move(found->second);
  rooms_.erase(found);
  forget_replay(*taken.membership);
  return taken;
}

void RoomSet::add_replay(hub::Membership& membership) {
  forget_replay(membership);
  replays_.push_back(&membership);
}

void RoomSet::forget_replay(const hub::Membership& membership) {
  replays_.erase(std::remove(replays_.begin(), replays_.end(), &membership), replays_.end());
}

hub::Membership* RoomSet::next_replay() {
  replays_.erase(std::remove_if(replays_.begin(), replays_.end(),
                                [](const hub::Membership* member) { return !member->is_catching_up(); }),
                 replays_.end());
  if (replays_.empty()) return nullptr;
  std::rotate(replays_.begin(), replays_.begin() + 1, replays_.end());
  return replays_.back();
}

}  // namespace roomcast::session
