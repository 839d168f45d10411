#include "hub/membership.h"

#include "hub/hub.h"
#include "hub/presence.h"

namespace roomcast::hub {

Membership::Membership(Hub& hub, std::string_view room, Subscriber& subscriber, const Interest& interest)
    : Membership(hub.find_or_create(room), subscriber, interest) {
  hub.on_joined(room_);
}

Membership::Membership(Room& room, Subscriber& subscriber, const Interest& interest)
    : room_(room), subscriber_(subscriber), catch_up_(std::make_unique<CatchUp>(CatchUp{interest, {}})) {
  room_.join(*this, interest);
  if (room_.is_open()) {
    room_.plan(*this);
  } else {
    room_.hub_.await_open(room_);
  }
  room_.hub_.schedule(*this);
}

Membership::~Membership() {
  Hub& hub = room_.hub_;
  hub.on_leaving(*this);
  room_.leave(*this);
  hub.on_left(room_);
}

std::string_view Membership::room_name() const { return room_.name(); }

bool Membership::watches_presence() const { return presence_entry_ && presence_entry_->watches; }

bool Membership::publish_would_wait() const { return room_.hub_.must_wait(room_); }

const Position& Membership::room_top() const { return room_.top(); }

bool Membership::has_got(std::uint64_t offset) const { return room_.has_handed(*this, offset); }

void Membership::continue_replay() {
  if (is_catching_up()) room_.hub_.schedule(*this);
}

void Membership::hold_up() {
  if (held_up_round_ == 0) room_.on_held_up(*this);
}

void Membership::let_go() {
  if (held_up_round_ == 0) return;
  room_.on_let_go(*this);
  room_.hub_.unpark(room_);
}

void Membership::flush() { room_.hub_.advance(*this); }

}  // namespace roomcast::hub
