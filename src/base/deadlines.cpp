#include "base/deadlines.h"

namespace roomcast::base {

Deadline::Deadline(Deadlines& sweep, Listener& listener) : sweep_(sweep), slot_(sweep.acquire(listener)) {}

Deadline::~Deadline() { sweep_.release(slot_); }

void Deadline::set_in(std::int64_t ms) { sweep_.due_ms(slot_) = sweep_.clock_.monotonic_ms() + ms; }

void Deadline::clear() { sweep_.due_ms(slot_) = Deadlines::never; }

bool Deadline::is_set() const { return sweep_.due_ms(slot_) != Deadlines::never; }

void Deadlines::sweep() {
  const std::int64_t now_ms = clock_.monotonic_ms();
  // By index: a listener may add deadlines (there are more blocks then) or free slots (they are reused).
  for (std::uint32_t block = 0; block < blocks_.size(); ++block) {
    // Hardly ever is one due: without a branch for each the look costs a nanosecond.
    unsigned due = 0;
    for (const std::int64_t due_ms : blocks_[block]->due_ms)
      due |= static_cast<unsigned>(due_ms <= now_ms);
    if (due != 0) call_due(block, now_ms);
  }
}

void Deadlines::call_due(std::uint32_t block, std::int64_t now_ms) {
  Block& slots = *blocks_[block];
  for (std::uint32_t i = 0; i < block_slots; ++i) {
    if (slots.due_ms[i] > now_ms) continue;
    slots.due_ms[i] = never;
    slots.listener[i]->on_deadline();
  }
}

std::uint32_t Deadlines::acquire(Deadline::Listener& listener) {
  if (free_.empty()) add_block();
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  blocks_[slot / block_slots]->listener[slot % block_slots] = &listener;
  return slot;
}

void Deadlines::release(std::uint32_t slot) {
  due_ms(slot) = never;
  free_.push_back(slot);
}

void Deadlines::add_block() {
  const auto first = static_cast<std::uint32_t>(blocks_.size()) * block_slots;
  blocks_.push_back(std::make_unique<Block>());
  blocks_.back()->due_ms.fill(never);
  // The lowest is taken first.
  for (std::uint32_t i = block_slots; i > 0; --i)
    free_.push_back(first + i - 1);
}

}  // namespace roomcast::base
