#include "loop/loop.h"

#include <uv.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace roomcast::loop {

namespace {

void list_handle(uv_handle_t* handle, void* /*unused*/) {
  std::fprintf(stderr, "open handle: %s%s%s\n", uv_handle_type_name(uv_handle_get_type(handle)),
               uv_is_active(handle) != 0 ? ", active" : "", uv_is_closing(handle) != 0 ? ", closing" : "");
}

void count_handle(uv_handle_t* /*handle*/, void* count) { ++*static_cast<std::size_t*>(count); }

}  // namespace

Loop::Loop() : loop_(std::make_unique<uv_loop_t>()) {
  const int status = uv_loop_init(loop_.get());
  if (status != 0) throw std::system_error(-status, std::generic_category(), "cannot make an event loop");
  // Lets loop/turn tell the time spent working from the time spent asleep.
  (void)uv_loop_configure(loop_.get(), UV_METRICS_IDLE_TIME);
}

Loop::~Loop() {
  // A first turn runs the close callbacks; a second one those of handles that were closed from there.
  run_turn_without_waiting();
  run_turn_without_waiting();
  const int status = uv_loop_close(loop_.get());
  if (status == 0) return;
  std::fprintf(stderr, "the event loop cannot be closed: %s\n", uv_strerror(status));
  uv_walk(loop_.get(), list_handle, nullptr);
  std::abort();
}

void Loop::run() { uv_run(loop_.get(), UV_RUN_DEFAULT); }

void Loop::run_turn() { uv_run(loop_.get(), UV_RUN_ONCE); }

void Loop::run_turn_without_waiting() { uv_run(loop_.get(), UV_RUN_NOWAIT); }

void Loop::stop() { uv_stop(loop_.get()); }

std::int64_t Loop::monotonic_ms() const { return static_cast<std::int64_t>(uv_now(loop_.get())); }

std::int64_t Loop::wall_ms() const {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

std::size_t Loop::handle_count() const {
  std::size_t count = 0;
  uv_walk(loop_.get(), count_handle, &count);
  return count;
}

}  // namespace roomcast::loop
