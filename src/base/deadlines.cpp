#include "base/deadlines.h"

#include <algorithm>

namespace roomcast::base {

Deadline::Deadline(Deadlines& sweep, Listener& listener) : sweep_(sweep), slot_(sweep.acquire(listener)) {}

Deadline::~Deadline() { sweep_.release(slot_); }

void Deadline::set_in(std::int64_t ms) { sweep_.due_ms(slot_) = sweep_.now_ms() + ms; }

void Deadline::clear() { sweep_.due_ms(slot_) = Deadlines::never; }

bool Deadline::is_set() const { return sweep_.due_ms(slot_) != Deadlines::never; }

bool Deadlines::tick() {
  if (last_tick_ms_ == never) next_grace_ms_ = clock_.monotonic_ms();
  last_tick_ms_ = now_ms();
  return sweep();
}

/// Moves all deadlines by the time since the last tick that does not count.
void Deadlines::forgive(std::int64_t now_ms) {
  const std::int64_t lost_ms = now_ms - last_tick_ms_ - counted_max_ms;
  last_tick_ms_ = now_ms;
  lost_ms_ += lost_ms;
  const std::int64_t counted_ms = now_ms - lost_ms_;
  std::int64_t earliest_ms = now_ms;
  if (counted_ms >= next_grace_ms_) {
    earliest_ms += grace_ms;
    next_grace_ms_ = counted_ms + grace_apart_ms;
  }
  for (const auto& block : blocks_) {
    for (std::int64_t& due_ms : block->due_ms) {
      if (due_ms != never) due_ms = std::max(due_ms + lost_ms, earliest_ms);
    }
  }
}

bool Deadlines::sweep() {
  const std::int64_t now_ms = clock_.monotonic_ms();
  std::size_t calls_left = calls_max;
  // By index: listeners may add deadlines (new blocks) or free slots (which are reused).
  for (std::size_t looked = 0; looked < blocks_.size(); ++looked, ++next_block_) {
    if (next_block_ >= blocks_.size()) next_block_ = 0;
    Block& slots = *blocks_[next_block_];
    // Deadlines are rarely due: without a branch per element the scan takes about a nanosecond each.
    unsigned due = 0;
    for (const std::int64_t due_ms : slots.due_ms)
      due |= static_cast<unsigned>(due_ms <= now_ms);
    if (due == 0) continue;
    call_due(slots, now_ms, calls_left);
    if (calls_left == 0) return true;
  }
  return false;
}

void Deadlines::call_due(Block& slots, std::int64_t now_ms, std::size_t& calls_left) {
  for (std::uint32_t i = 0; i < block_slots && calls_left > 0; ++i) {
    if (slots.due_ms[i] > now_ms) continue;
    slots.due_ms[i] = never;
    --calls_left;
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
  // Low slots are used first.
  for (std::uint32_t i = block_slots; i > 0; --i)
    free_.push_back(first + i - 1);
}

}  // namespace roomcast::base
