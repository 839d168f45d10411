#include "transport/poll_sweep.h"

#include <algorithm>

#include "transport/polls.h"

namespace roomcast::transport {

namespace {

// Well below a turn. A poll takes less than a microsecond, one that is answered some more.
constexpr std::int64_t poll_slice_us = 500;
// Between two looks at the clock.
constexpr std::size_t polls_per_look = 16;

}  // namespace

void PollSweep::add(const part::ClientCheck& also) {
  if (polls_.size() == 0) return;
  if (!also) {
    const auto under_way =
        std::find_if(rounds_.begin(), rounds_.end(), [](const Round& round) { return !round.also; });
    if (under_way != rounds_.end()) {
      // From where it is, once around.
      under_way->left = polls_.slots();
      return;
    }
  }
  rounds_.push_back({also, 0, polls_.slots()});
  scheduler_.mark_deferred(*this);
}

void PollSweep::run_at_turn_end() {
  const std::int64_t end_us = clock_.monotonic_us() + poll_slice_us;
  std::size_t looked_at = 0;
  while (!rounds_.empty()) {
    Round& round = rounds_.front();
    if (round.left == 0) {
      rounds_.pop_front();
      continue;
    }
    if (round.next >= polls_.slots()) round.next = 0;
    Poll* const poll = polls_.at_slot(round.next);
    ++round.next;
    --round.left;
    if (poll != nullptr) poll->reconsider(round.also);
    if (++looked_at % polls_per_look == 0 && clock_.monotonic_us() >= end_us) break;
  }
  if (!rounds_.empty()) scheduler_.mark_deferred(*this);
}

}  // namespace roomcast::transport
