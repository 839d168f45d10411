#include "base/dirty_list.h"

#include <utility>

namespace roomcast::base {

bool DirtyList::forget(Flushable& item) {
  if (item.dirty_position_ == 0) return false;
  const std::size_t index = item.dirty_position_ - 1;
  const auto holds = [&](const std::vector<Flushable*>& items) {
    return index < items.size() && items[index] == &item;
  };
  if (!holds(marked_) && !holds(flushing_)) return false;
  (holds(marked_) ? marked_ : flushing_)[index] = nullptr;
  item.dirty_position_ = 0;
  --count_;
  return true;
}

bool DirtyList::flush_next() {
  if (flush_next_of_round()) return true;
  begin_round();
  return flush_next_of_round();
}

bool DirtyList::flush_some(std::size_t count) {
  if (next_ == flushing_.size()) begin_round();
  while (count > 0 && flush_next_of_round())
    --count;
  return !empty();
}

void DirtyList::begin_round() {
  flushing_.clear();
  // Memory that only a burst needed is released.
  constexpr std::size_t spare_items = 16'384;
  if (flushing_.capacity() > spare_items && marked_.size() < spare_items / 4) flushing_.shrink_to_fit();
  std::swap(flushing_, marked_);
  next_ = 0;
}

bool DirtyList::flush_next_of_round() {
  while (next_ < flushing_.size()) {
    Flushable* const item = flushing_[next_++];
    if (item == nullptr) continue;
    item->dirty_position_ = 0;
    --count_;
    item->flush();
    return true;
  }
  return false;
}

}  // namespace roomcast::base
