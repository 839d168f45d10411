#pragma once

#include "base/deadlines.h"
#include "loop/timer.h"

namespace roomcast::loop {

/// Has the loop look through all deadlines every `deadlines.interval_ms()`, sooner while many are due.
class Sweep final : private Timer::Listener {
 public:
  Sweep(Loop& loop, base::Deadlines& deadlines) : deadlines_(deadlines), timer_(loop, *this) {
    timer_.start_once(deadlines.interval_ms());
  }

 private:
  void on_timer(Timer& timer) override {
    // Not 0: others are read before the rest is called.
    timer.start_once(deadlines_.tick() ? 1 : deadlines_.interval_ms());
  }

  base::Deadlines& deadlines_;
  Timer timer_;
};

}  // namespace roomcast::loop
