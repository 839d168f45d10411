#include "load/tally.h"

namespace roomcast::bench {

Tally::Tally(std::uint16_t first_publisher, std::uint16_t publishers)
    : first_publisher_(first_publisher), next_(publishers, 0) {}

void Tally::note(const Stamp& stamp, Faults& faults) {
  if (stamp.publisher < first_publisher_ ||
      stamp.publisher - first_publisher_ >= static_cast<int>(next_.size())) {
    ++faults.unstamped;
    return;
  }
  std::uint32_t& next = next_[static_cast<std::size_t>(stamp.publisher - first_publisher_)];
  if (stamp.number < next) {
    ++faults.repeated;
    return;
  }
  faults.lost += stamp.number - next;
  next = stamp.number + 1;
}

void Tally::finish(std::uint32_t messages, Faults& faults) const {
  for (const std::uint32_t next : next_) {
    if (next < messages) faults.lost += messages - next;
  }
}

}  // namespace roomcast::bench
