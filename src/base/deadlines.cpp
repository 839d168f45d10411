#include "base/deadlines.h"

#include <algorithm>

namespace roomcast::base {

Deadline::Deadline(Deadlines& sweep, Listener& listener) : sweep_(sweep), slot_(sweep.acquire(listener)) {}

Deadline::~Deadline() { sweep_.release(slot_); }

void Deadline::set_in(std::int64_t ms) {
  // At least 1, because 0 means "not set".
  sweep_.slots_[slot_].due_ms = std::max<std::int64_t>(sweep_.clock_.monotonic_ms() + ms, 1);
}

void Deadline::clear() { sweep_.slots_[slot_].due_ms = 0; }

bool Deadline::is_set() const { return sweep_.slots_[slot_].due_ms != 0; }

void Deadlines::sweep() {
  const std::int64_t now_ms = clock_.monotonic_ms();
  // By index: a listener may add deadlines (the row grows) or free slots (they are reused).
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (slot.listener == nullptr || slot.due_ms == 0 || slot.due_ms > now_ms) continue;
    slot.due_ms = 0;
    slot.listener->on_deadline();
  }
}

std::uint32_t Deadlines::acquire(Deadline::Listener& listener) {
  if (first_free_ == 0) {
    slots_.push_back({&listener, 0});
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const auto index = static_cast<std::uint32_t>(first_free_ - 1);
  first_free_ = slots_[index].due_ms;
  slots_[index] = {&listener, 0};
  return index;
}

void Deadlines::release(std::uint32_t slot) {
  slots_[slot] = {nullptr, first_free_};
  first_free_ = std::int64_t{slot} + 1;
}

}  // namespace roomcast::base
