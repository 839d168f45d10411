#include "hub/membership.h"

#include "hub/hub.h"
#include "hub/presence.h"

namespace roomcast::hub {

Membership::Membership(Hub& hub, std::string_view room, Subscriber& subscriber, const Interest& interest)
    : Member(subscriber, interest) {
  hub.join(*this, room);
}

Membership::~Membership() { room().hub().leave(*this); }

std::string_view Membership::room_name() const { return room().name(); }

bool Membership::watches_presence() const { return presence_place().watcher() != nullptr; }

Author Membership::author() const { return presence_place().author(); }

void Membership::rename(const Author& author) { room().hub().rename(*this, author); }

bool Membership::publish_would_wait() const { return room().hub().would_wait(room()); }

const Position& Membership::room_top() const { return room().log().top(); }

bool Membership::has_got(std::uint64_t offset) const { return room().has_handed(*this, offset); }

void Membership::continue_replay() {
  if (is_catching_up()) room().hub().schedule(*this);
}

void Membership::hold_up() { room().fan_out().hold_up(*this); }

void Membership::let_go() {
  if (fan_out_place().held_up_round != 0) room().hub().let_go(*this);
}

void Membership::run_at_turn_end() { room().hub().advance(*this); }

}  // namespace roomcast::hub
