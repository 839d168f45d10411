#include "base/deadlines.h"

#include <algorithm>

namespace roomcast::base {

Deadline::Deadline(Deadlines& sweep, Listener& listener) : sweep_(sweep), slot_(sweep.acquire(listener)) {}

Deadline::~Deadline() { sweep_.release(slot_); }

void Deadline::set_in(std::int64_t ms) { sweep_.slots_[slot_].due_tick = sweep_.tick_after(ms); }

void Deadline::clear() { sweep_.slots_[slot_].due_tick = 0; }

bool Deadline::is_set() const { return sweep_.slots_[slot_].due_tick != 0; }

void Deadlines::sweep() {
  const auto now = static_cast<std::uint32_t>(clock_.monotonic_ms() / interval_ms_);
  // By index: a listener may add deadlines (the vector moves) or free slots (they are reused).
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (slot.due_tick == 0 || slot.due_tick > now) continue;
    slot.due_tick = 0;
    slot.listener->on_deadline();
  }
}

std::uint32_t Deadlines::acquire(Deadline::Listener& listener) {
  if (first_free_ == 0) {
    slots_.push_back({&listener, 0, 0});
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t index = first_free_ - 1;
  first_free_ = slots_[index].next_free;
  slots_[index] = {&listener, 0, 0};
  return index;
}

void Deadlines::release(std::uint32_t slot) {
  slots_[slot] = {nullptr, 0, first_free_};
  first_free_ = slot + 1;
}

std::uint32_t Deadlines::tick_after(std::int64_t ms) const {
  // Rounded up, so that it is never early; at least 1, because 0 means "not set".
  const std::int64_t due = (clock_.monotonic_ms() + ms + interval_ms_ - 1) / interval_ms_;
  return static_cast<std::uint32_t>(std::max<std::int64_t>(due, 1));
}

}  // namespace roomcast::base
