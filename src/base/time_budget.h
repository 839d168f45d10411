#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/clock.h"

namespace roomcast::base {

/// A share of the time, for work that may as well be left undone, such as compressing: however much of it is
/// asked for, the rest of the time is for everything else. What is spent is measured, since for this kind of
/// work a byte may take fifty times as long as another one.
class TimeBudget {
 public:
  /// At most `most_us` microseconds after a pause; half of the time that passes otherwise comes back, so at
  /// most a third of all the time is spent.
  TimeBudget(const Clock& clock, std::int64_t most_us)
      : clock_(clock), most_us_(most_us), left_us_(most_us), at_us_(clock.monotonic_us()) {}
  TimeBudget(const TimeBudget&) = delete;
  TimeBudget& operator=(const TimeBudget&) = delete;

  /// Whether something is left: then one piece of work may begin, and what it takes too much is owed.
  [[nodiscard]] bool has_some() { return left_us() > 0; }
  /// Whether so much is left that work which is of use to a single client may take of it.
  [[nodiscard]] bool has_plenty() { return left_us() > most_us_ / 2; }

  /// Does `work` and takes what it took from what is left.
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
  std::int64_t at_us_;  // of the last look
};

}  // namespace roomcast::base
