#include "base/dirty_list.h"

#include <utility>

namespace roomcast::base {

bool DirtyList::forget(TurnTask& item) {
  if (item.dirty_position_ == 0) return false;
  const std::size_t index = item.dirty_position_ - 1;
  const auto holds = [&](const std::vector<TurnTask*>& items) {
    return index < items.size() && items[index] == &item;
  };
  if (!holds(marked_) && !holds(running_)) return false;
  (holds(marked_) ? marked_ : running_)[index] = nullptr;
  item.dirty_position_ = 0;
  --count_;
  return true;
}

bool DirtyList::run_next() {
  if (run_next_of_round()) return true;
  begin_round();
  return run_next_of_round();
}

bool DirtyList::run_some(std::size_t count) {
  if (next_ == running_.size()) begin_round();
  while (count > 0 && run_next_of_round())
    --count;
  return !empty();
}

void DirtyList::begin_round() {
  running_.clear();
  // Memory that only a burst needed is released.
  constexpr std::size_t spare_items = 16'384;
  if (running_.capacity() > spare_items && marked_.size() < spare_items / 4) running_.shrink_to_fit();
  std::swap(running_, marked_);
  next_ = 0;
}

bool DirtyList::run_next_of_round() {
  while (next_ < running_.size()) {
    TurnTask* const item = running_[next_++];
    if (item == nullptr) continue;
    item->dirty_position_ = 0;
    --count_;
    item->run_at_turn_end();
    return true;
  }
  return false;
}

}  // namespace roomcast::base
