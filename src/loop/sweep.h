#pragma once

#include "base/deadlines.h"
#include "loop/timer.h"

namespace roomcast::loop {

/// Has the loop look through all deadlines every `deadlines.interval_ms()`.
class Sweep final : private Timer::Listener {
 public:
  Sweep(Loop& loop, base::Deadlines& deadlines) : deadlines_(deadlines), timer_(loop, *this) {
    timer_.start_every(deadlines.interval_ms());
  }

 private:
  void on_timer(Timer& /*timer*/) override { deadlines_.sweep(); }

  base::Deadlines& deadlines_;
  Timer timer_;
};

}  // namespace roomcast::loop
