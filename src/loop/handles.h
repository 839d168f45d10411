#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "base/deadlines.h"
#include "base/result.h"
#include "loop/loop.h"

struct uv_handle_s;
struct uv_timer_s;
struct uv_signal_s;

namespace roomcast::loop {

/// Starts closing `handle`; `free_body` is called with it once libuv no longer uses it. Clears its `data`.
void close_handle(uv_handle_s* handle, void (*free_body)(uv_handle_s*));

struct HandleCloser {
  template <class T>
  void operator()(T* handle) const {
    // The owner's constructors and destructor must be defined where the libuv type is complete.
    static_assert(requires(T complete) { complete.data; });
    close_handle(reinterpret_cast<uv_handle_s*>(handle),
                 [](uv_handle_s* closed) { delete reinterpret_cast<T*>(closed); });
  }
};

/// Owns an initialised libuv handle (`T` is uv_timer_s, uv_signal_s, …) on the heap. Destroying it closes the
/// handle: no callback follows, and the memory is freed once libuv no longer uses it. `data` of the handle
/// points to its owner.
template <class T>
using Handle = std::unique_ptr<T, HandleCloser>;

/// A handle initialised by `init(T*)`, a uv_*_init function with its arguments bound, or the (negative) error
/// number of libuv. Its `data` is set to `owner`.
template <class T, class Init>
[[nodiscard]] base::Result<Handle<T>, int> make_handle(void* owner, const Init& init) {
  auto body = std::make_unique<T>();
  const int status = init(body.get());
  if (status != 0) return status;
  body->data = owner;
  return Handle<T>(body.release());
}

/// A timer of the loop, for the few parts that need their own; connections use base::Deadline. Destroying it
/// stops it, also from within on_timer.
class Timer {
 public:
  class Listener {
   public:
    virtual void on_timer(Timer& timer) = 0;

   protected:
    ~Listener() = default;
  };

  Timer(Loop& loop, Listener& listener);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();

  /// Calls the listener once after `ms` milliseconds, replacing an earlier start.
  void start_once(std::int64_t ms);
  /// Calls the listener every `ms` milliseconds (at least 1), the first time after that interval.
  void start_every(std::int64_t ms);
  void stop();
  [[nodiscard]] bool is_active() const;

 private:
  static void on_expiry(uv_timer_s* handle) noexcept;

  Listener& listener_;
  Handle<uv_timer_s> handle_;
};

/// Watches one signal of the process and reports it on the loop.
class Signal {
 public:
  class Listener {
   public:
    virtual void on_signal(int number) = 0;

   protected:
    ~Listener() = default;
  };

  /// Throws std::system_error if `number` cannot be watched.
  Signal(Loop& loop, int number, Listener& listener);
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal();

 private:
  static void on_arrival(uv_signal_s* handle, int number) noexcept;

  Listener& listener_;
  Handle<uv_signal_s> handle_;
};

/// Runs Deadlines::tick every `deadlines.interval_ms()`, sooner while many are due.
class Sweep final : private Timer::Listener {
 public:
  Sweep(Loop& loop, base::Deadlines& deadlines) : deadlines_(deadlines), timer_(loop, *this) {
    timer_.start_once(deadlines.interval_ms());
  }

 private:
  void on_timer(Timer& timer) override {
    // Not 0: input is read before the remaining deadlines are called.
    timer.start_once(deadlines_.tick() ? 1 : deadlines_.interval_ms());
  }

  base::Deadlines& deadlines_;
  Timer timer_;
};

}  // namespace roomcast::loop
