#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/scheduler.h"

namespace roomcast::base {

/// The items marked for flushing in a turn, in the order in which they were marked. It owns none of them.
/// While one is flushed, any of them (itself included) may be marked, forgotten or destroyed.
class DirtyList {
 public:
  DirtyList() = default;
  DirtyList(const DirtyList&) = delete;
  DirtyList& operator=(const DirtyList&) = delete;
  ~DirtyList() = default;

  /// Puts `item` at the end; nothing happens if it is on this list, or another, already.
  void mark(Flushable& item) {
    if (item.dirty_position_ != 0) return;
    marked_.push_back(&item);
    item.dirty_position_ = static_cast<std::uint32_t>(marked_.size());
    ++count_;
  }
  /// Takes `item` off the list. False, and nothing has happened, if it is not on this one.
  bool forget(Flushable& item);
  /// Takes the first item off the list and flushes it. False if there was none.
  bool flush_next();
  /// Flushes up to `count` items, none of them twice. False if the list is used up.
  bool flush_some(std::size_t count);
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  /// What has been marked so far is next; all that was next has been flushed.
  void begin_round();
  /// False if nothing is left of the round.
  bool flush_next_of_round();

  // Two vectors that change roles when the one being flushed is used up: nothing moves, nothing grows for
  // ever. A forgotten item leaves a null behind.
  std::vector<Flushable*> marked_;
  std::vector<Flushable*> flushing_;
  std::size_t next_ = 0;   // in flushing_
  std::size_t count_ = 0;  // in both, without the nulls
};

}  // namespace roomcast::base
