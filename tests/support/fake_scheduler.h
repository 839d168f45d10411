#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/scheduler.h"

namespace roomcast::test {

/// A scheduler whose turns end when the test says so.
class FakeScheduler final : public base::Scheduler {
 public:
  void mark_dirty(base::TurnTask& item) override {
    if (std::find(dirty_.begin(), dirty_.end(), &item) == dirty_.end()) dirty_.push_back(&item);
  }
  void mark_deferred(base::TurnTask& item) override {
    if (std::find(deferred_.begin(), deferred_.end(), &item) == deferred_.end()) deferred_.push_back(&item);
  }
  void forget(base::TurnTask& item) override {
    dirty_.erase(std::remove(dirty_.begin(), dirty_.end(), &item), dirty_.end());
    deferred_.erase(std::remove(deferred_.begin(), deferred_.end(), &item), deferred_.end());
  }
  void free_later(std::unique_ptr<base::Disposable> item) override { to_free_.push_back(std::move(item)); }
  void wake() override {
    ++wakes;
    is_awake_ = true;
  }

  /// Runs `work` and the flushes until both are finished, then frees pending objects.
  void run_turn(base::SlicedWork& work) {
    bool more = true;
    while (more || is_awake_ || !dirty_.empty() || !deferred_.empty()) {
      is_awake_ = false;
      more = work.do_slice();
      flush();
      flush_deferred();
    }
    to_free_.clear();
  }
  void flush() {
    std::vector<base::TurnTask*> dirty;
    dirty.swap(dirty_);
    for (auto* item : dirty)
      item->run_at_turn_end();
  }

  /// Flushes the items deferred so far, once each.
  void flush_deferred() {
    std::vector<base::TurnTask*> deferred;
    deferred.swap(deferred_);
    for (auto* item : deferred)
      item->run_at_turn_end();
  }
  [[nodiscard]] std::size_t deferred() const { return deferred_.size(); }

  int wakes = 0;

 private:
  std::vector<base::TurnTask*> dirty_;
  std::vector<base::TurnTask*> deferred_;
  bool is_awake_ = false;
  std::vector<std::unique_ptr<base::Disposable>> to_free_;
};

}  // namespace roomcast::test
