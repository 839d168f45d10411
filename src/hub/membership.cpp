#include "hub/membership.h"

#include <limits>

#include "hub/hub.h"
#include "hub/presence.h"

namespace roomcast::hub {

Membership::Membership(Hub& hub, Room& room, Subscriber& subscriber, const Interest& interest)
    : hub_(hub),
      room_(room),
      subscriber_(subscriber),
      live_after_(std::numeric_limits<std::uint64_t>::max()),
      catch_up_(std::make_unique<CatchUp>(CatchUp{interest, {}})) {
  room_.join(*this, interest);
  if (room_.is_open()) room_.plan(*this);
  hub_.schedule(*this);
}

Membership::~Membership() {
  hub_.on_leaving(*this);
  room_.leave(*this);
  hub_.on_left(room_);
}

std::string_view Membership::room_name() const { return room_.name(); }

void Membership::continue_replay() {
  if (is_catching_up()) hub_.schedule(*this);
}

void Membership::flush() { hub_.advance(*this); }

}  // namespace roomcast::hub
