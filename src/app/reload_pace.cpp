#include "app/reload_pace.h"

#include <algorithm>

namespace roomcast::app {

void ReloadPace::ask() {
  if (stopped_ || timer_.is_active()) return;
  const std::int64_t left_us = std::max<std::int64_t>(0, next_us_ - clock_.monotonic_us());
  timer_.start_once((left_us + 999) / 1000);
}

void ReloadPace::stop() {
  stopped_ = true;
  timer_.stop();
}

void ReloadPace::on_timer(loop::Timer& /*timer*/) {
  const std::int64_t begun_us = clock_.monotonic_us();
  listener_.on_reload_due();
  const std::int64_t now_us = clock_.monotonic_us();
  next_us_ = now_us + std::max(1000 * least_pause_ms, pauses_per_reload * (now_us - begun_us));
}

}  // namespace roomcast::app
