#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/clock.h"

namespace roomcast::base {

/// A share of the processing time for optional work such as compression: however much is requested, the rest
/// of the time remains for other work. The time spent is measured, since the cost per byte may vary by a
/// factor of fifty.
class TimeBudget {
 public:
  /// At most `most_us` microseconds after a pause. Half of the time that passes otherwise is credited, so
  /// that at most a third of all time is spent.
  TimeBudget(const Clock& clock, std::int64_t most_us)
      : clock_(clock), most_us_(most_us), left_us_(most_us), at_us_(clock.monotonic_us()) {}
  TimeBudget(const TimeBudget&) = delete;
  TimeBudget& operator=(const TimeBudget&) = delete;

  /// Whether anything is left: then one piece of work may begin, and what it takes in excess is owed.
  [[nodiscard]] bool has_some() { return left_us() > 0; }
  /// Whether enough is left for work that benefits a single client only.
  [[nodiscard]] bool has_plenty() { return left_us() > most_us_ / 2; }

  /// Runs `work` and deducts the time it took.
  template <class Work>
  void spend_on(Work&& work) {
    (void)left_us();
    const std::int64_t begin_us = at_us_;
    std::forward<Work>(work)();
    at_us_ = clock_.monotonic_us();
    left_us_ -= at_us_ - begin_us;
  }

 private:
  std::int64_t left_us() {
    const std::int64_t now_us = clock_.monotonic_us();
    left_us_ = std::min(most_us_, left_us_ + (now_us - std::exchange(at_us_, now_us)) / 2);
    return left_us_;
  }

  const Clock& clock_;
  std::int64_t most_us_;
  std::int64_t left_us_;
  std::int64_t at_us_;  // time of the last update
};

}  // namespace roomcast::base
