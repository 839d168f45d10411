#include "loop/turn.h"

#include <uv.h>

#include <algorithm>

namespace roomcast::loop {

Turn::Turn(Loop& loop, std::int64_t time_box_us)
    : loop_(loop), queue_(*this, time_box_us), last_end_us_(now_us()) {
  auto prepare = make_handle<uv_prepare_t>(
      this, [&](uv_prepare_t* handle) { return uv_prepare_init(loop.native(), handle); });
  auto idle =
      make_handle<uv_idle_t>(this, [&](uv_idle_t* handle) { return uv_idle_init(loop.native(), handle); });
  before_sleep_ = std::move(*prepare);
  keep_awake_ = std::move(*idle);
  uv_prepare_start(before_sleep_.get(),
                   [](uv_prepare_t* handle) noexcept { static_cast<Turn*>(handle->data)->end_turn(); });
}

Turn::~Turn() = default;

std::int64_t Turn::now_us() const { return static_cast<std::int64_t>(uv_hrtime() / 1000); }

void Turn::end_turn() {
  if (queue_.run()) {
    uv_idle_start(keep_awake_.get(), [](uv_idle_t*) {});
  } else {
    uv_idle_stop(keep_awake_.get());
  }
  measure();
}

void Turn::measure() {
  const std::int64_t end_us = now_us();
  const auto idle_us = static_cast<std::int64_t>(uv_metrics_idle_time(loop_.native()) / 1000);
  stats_.add(std::max<std::int64_t>((end_us - last_end_us_) - (idle_us - last_idle_us_), 0));
  last_end_us_ = end_us;
  last_idle_us_ = idle_us;
}

}  // namespace roomcast::loop
