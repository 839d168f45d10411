#include "base/dirty_list.h"

#include <utility>

namespace roomcast::base {

void DirtyList::forget(Flushable& item) {
  if (item.dirty_position_ == 0) return;
  const std::size_t index = item.dirty_position_ - 1;
  const bool is_marked = index < marked_.size() && marked_[index] == &item;
  (is_marked ? marked_ : flushing_)[index] = nullptr;
  item.dirty_position_ = 0;
  --count_;
}

bool DirtyList::flush_next() {
  while (count_ > 0) {
    if (next_ == flushing_.size()) {
      flushing_.clear();
      std::swap(flushing_, marked_);
      next_ = 0;
    }
    Flushable* item = flushing_[next_++];
    if (item == nullptr) continue;
    item->dirty_position_ = 0;
    --count_;
    item->flush();
    return true;
  }
  // Only nulls can be left.
  flushing_.clear();
  marked_.clear();
  next_ = 0;
  return false;
}

bool DirtyList::flush_some(std::size_t count) {
  for (; count > 0; --count) {
    if (!flush_next()) return false;
  }
  return true;
}

}  // namespace roomcast::base
