#include "loop/loop.h"

#include <poll.h>
#include <uv.h>

#include <cassert>
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

std::int64_t wall_now_ms() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

void count_handle(uv_handle_t* /*handle*/, void* count) { ++*static_cast<std::size_t*>(count); }

}  // namespace

Loop::Loop() : loop_(std::make_unique<uv_loop_t>()), wall_ms_(wall_now_ms()) {
  const int status = uv_loop_init(loop_.get());
  if (status != 0) throw std::system_error(-status, std::generic_category(), "cannot make an event loop");
}

Loop::~Loop() {
  // The first turn runs the close callbacks, the second one those of handles that were closed in the first.
  run_turn_without_waiting();
  run_turn_without_waiting();
  const int status = uv_loop_close(loop_.get());
  if (status == 0) return;
  std::fprintf(stderr, "the event loop cannot be closed: %s\n", uv_strerror(status));
  uv_walk(loop_.get(), list_handle, nullptr);
  std::abort();
}

void Loop::set_sleeper(Sleeper* sleeper) {
  assert(sleeper == nullptr || sleeper_ == nullptr);
  sleeper_ = sleeper;
}

void Loop::set_worker(Worker* worker) {
  assert(worker == nullptr || worker_ == nullptr);
  worker_ = worker;
}

void Loop::run() {
  while (!stopped_ && is_alive())
    turn(true);
  stopped_ = false;
}

void Loop::run_turn() { turn(true); }

void Loop::run_turn_without_waiting() { turn(false); }

void Loop::stop() { stopped_ = true; }

void Loop::turn(bool may_sleep) {
  const int sleep_ms = may_sleep && !work_left_ ? timeout_ms() : 0;
  if (sleeper_ != nullptr) {
    sleeper_->sleep(sleep_ms);
  } else {
    sleep_for_libuv(sleep_ms);
  }
  begin_turn();
  const bool libuv_is_due = sleeper_ == nullptr || sleeper_->dispatch();
  if (libuv_is_due || timeout_ms() == 0) uv_run(loop_.get(), UV_RUN_NOWAIT);
  const bool is_busy = sleeper_ != nullptr && sleeper_->is_busy();
  work_left_ = worker_ != nullptr && worker_->end_turn(is_busy);
}

void Loop::begin_turn() {
  uv_update_time(loop_.get());
  wall_ms_ = wall_now_ms();
  if (worker_ != nullptr) worker_->begin_turn();
}

void Loop::sleep_for_libuv(int timeout_ms) const {
  pollfd libuv{uv_backend_fd(loop_.get()), POLLIN, 0};
  (void)::poll(&libuv, 1, timeout_ms);
}

bool Loop::is_alive() const { return worker_ != nullptr || uv_loop_alive(loop_.get()) != 0; }

/// The time until libuv has work that its descriptor does not signal; negative if there is none to come.
int Loop::timeout_ms() const {
  // libuv would not wait then; with a worker the loop goes on.
  if (worker_ != nullptr && uv_loop_alive(loop_.get()) == 0) return -1;
  return uv_backend_timeout(loop_.get());
}

std::int64_t Loop::monotonic_ms() const { return static_cast<std::int64_t>(uv_now(loop_.get())); }

std::int64_t Loop::monotonic_us() const { return static_cast<std::int64_t>(uv_hrtime() / 1000); }

std::size_t Loop::handle_count() const {
  std::size_t count = 0;
  uv_walk(loop_.get(), count_handle, &count);
  return count;
}

}  // namespace roomcast::loop
