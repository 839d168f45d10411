#include "hub/room.h"

#include <algorithm>
#include <cassert>

#include "hub/hub.h"

namespace roomcast::hub {

namespace {

// Far enough ahead that a member's cache line has arrived when its turn comes; for rooms that do not fit the
// cache this makes the walk several times faster.
constexpr std::size_t prefetch_distance = 8;

}  // namespace

Membership::Membership(Hub& hub, Room& room, Subscriber& subscriber)
    : hub_(hub), room_(room), subscriber_(subscriber) {
  room_.join(*this);
}

Membership::~Membership() {
  room_.leave(*this);
  hub_.on_left(room_);
}

std::string_view Membership::room_name() const { return room_.name(); }

void Room::accept(const Message& message) {
  accepted_messages_.push_back(message);
  ++accepted_;
}

void Room::join(Membership& member) {
  assert(!delivering_);
  member.index_ = static_cast<std::uint32_t>(members_.size());
  member.joined_after_ = accepted_;
  members_.push_back(&member);
}

void Room::leave(Membership& member) {
  assert(!delivering_);
  const std::size_t index = member.index_;
  if (walking_) {
    members_[index] = nullptr;
    ++holes_;
    return;
  }
  members_[index] = members_.back();
  members_[index]->index_ = static_cast<std::uint32_t>(index);
  members_.pop_back();
}

Room::Progress Room::walk(std::size_t member_count) {
  if (!walking_) begin_walk();
  Progress progress;
  const std::size_t stop = std::min(end_member_, next_member_ + member_count);
  delivering_ = true;
  for (; next_member_ < stop; ++next_member_) {
    if (next_member_ + prefetch_distance < stop)
      __builtin_prefetch(members_[next_member_ + prefetch_distance]);
    const Membership* member = members_[next_member_];
    if (member == nullptr) continue;
    const std::size_t from = member->joined_after_ <= batch_begin_
                                 ? 0
                                 : static_cast<std::size_t>(member->joined_after_ - batch_begin_);
    if (from >= batch_.messages().size()) continue;
    member->subscriber_.deliver(batch_, from);
    progress.deliveries += batch_.messages().size() - from;
  }
  delivering_ = false;
  if (next_member_ == end_member_) progress.released_bytes = end_walk();
  return progress;
}

void Room::begin_walk() {
  walking_ = true;
  batch_begin_ = accepted_ - accepted_messages_.size();
  batch_.assign(name_, accepted_messages_);
  next_member_ = 0;
  end_member_ = members_.size();
}

std::size_t Room::end_walk() {
  std::size_t bytes = 0;
  for (const Message& message : batch_.messages())
    bytes += message.payload.size();
  batch_.clear();
  walking_ = false;
  if (holes_ != 0) close_holes();
  return bytes;
}

void Room::close_holes() {
  members_.erase(std::remove(members_.begin(), members_.end(), nullptr), members_.end());
  for (std::size_t i = 0; i < members_.size(); ++i)
    members_[i]->index_ = static_cast<std::uint32_t>(i);
  holes_ = 0;
}

}  // namespace roomcast::hub
