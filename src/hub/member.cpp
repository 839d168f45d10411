#include "hub/member.h"

namespace roomcast::hub {

Member::Member(Subscriber& subscriber, const Interest& interest)
    : subscriber_(subscriber), replay_(std::make_unique<Replay>(Replay{interest, {}})) {}

Member::~Member() = default;

void Member::start_at(const Joined& start) {
  replay_->start = start;
  replay_->after = start.cursor.offset;
}

void Member::lose_log(std::uint64_t offset) {
  replay_->is_log_lost = true;
  replay_->after = offset;
}

void Member::fall_behind(std::uint64_t offset) {
  if (replay_) return;
  replay_ = std::make_unique<Replay>();
  replay_->state = State::catching_up;
  replay_->has_fallen_behind = true;
  replay_->after = offset;
}

}  // namespace roomcast::hub
