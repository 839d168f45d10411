#include "loop/handles.h"

#include <uv.h>

#include <algorithm>
#include <system_error>

namespace roomcast::loop {

void close_handle(uv_handle_s* handle, void (*free_body)(uv_handle_s*)) {
  handle->data = nullptr;
  uv_close(handle, free_body);
}

Timer::Timer(Loop& loop, Listener& listener)
    : listener_(listener), handle_(std::move(make_handle<uv_timer_t>(this, [&](uv_timer_t* timer) {
                                               return uv_timer_init(loop.native(), timer);
                                             }).value())) {}

Timer::~Timer() = default;

namespace {

std::uint64_t delay(std::int64_t ms, std::int64_t least_ms) {
  return static_cast<std::uint64_t>(std::max(ms, least_ms));
}

}  // namespace

void Timer::start_once(std::int64_t ms) { uv_timer_start(handle_.get(), on_expiry, delay(ms, 0), 0); }

void Timer::start_every(std::int64_t ms) {
  uv_timer_start(handle_.get(), on_expiry, delay(ms, 1), delay(ms, 1));
}

void Timer::stop() { uv_timer_stop(handle_.get()); }

bool Timer::is_active() const { return uv_is_active(reinterpret_cast<uv_handle_t*>(handle_.get())) != 0; }

void Timer::on_expiry(uv_timer_s* handle) noexcept {
  auto* timer = static_cast<Timer*>(handle->data);
  timer->listener_.on_timer(*timer);
}

Signal::Signal(Loop& loop, int number, Listener& listener) : listener_(listener) {
  auto made = make_handle<uv_signal_t>(
      this, [&](uv_signal_t* handle) { return uv_signal_init(loop.native(), handle); });
  int status = made ? 0 : made.error();
  if (made) {
    handle_ = std::move(*made);
    status = uv_signal_start(handle_.get(), on_arrival, number);
  }
  if (status != 0) throw std::system_error(-status, std::generic_category(), "cannot watch a signal");
}

Signal::~Signal() = default;

void Signal::on_arrival(uv_signal_s* handle, int number) noexcept {
  static_cast<Signal*>(handle->data)->listener_.on_signal(number);
}

}  // namespace roomcast::loop
