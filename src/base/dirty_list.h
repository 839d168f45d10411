#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/scheduler.h"

namespace roomcast::base {

/// The items to be run at the end of a turn, in the order in which they were marked; not owned. While one
/// is run, any item (that one included) may be marked, forgotten or destroyed.
class DirtyList {
 public:
  DirtyList() = default;
  DirtyList(const DirtyList&) = delete;
  DirtyList& operator=(const DirtyList&) = delete;
  ~DirtyList() = default;

  /// Appends `item`; has no effect if it is on this or another list already.
  void mark(TurnTask& item) {
    if (item.dirty_position_ != 0) return;
    marked_.push_back(&item);
    item.dirty_position_ = static_cast<std::uint32_t>(marked_.size());
    ++count_;
  }
  /// Removes `item`. False, without effect, if it is not on this list.
  bool forget(TurnTask& item);
  /// Removes the first item and runs it. False if the list was empty.
  bool run_next();
  /// Runs up to `count` items, each at most once. False if the list is empty afterwards.
  bool run_some(std::size_t count);
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  /// Begins a new round with all items marked so far; the previous round must be finished.
  void begin_round();
  /// False if the round is finished.
  bool run_next_of_round();

  // Two vectors that are swapped after each round: no element is moved, and neither grows without bound.
  // Forgotten items are replaced by null.
  std::vector<TurnTask*> marked_;
  std::vector<TurnTask*> running_;
  std::size_t next_ = 0;   // in running_
  std::size_t count_ = 0;  // in both, without the nulls
};

}  // namespace roomcast::base
