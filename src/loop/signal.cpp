#include "loop/signal.h"

#include <uv.h>

#include <system_error>

namespace roomcast::loop {

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
