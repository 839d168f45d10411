#pragma once

#include <cstdint>

#include "loop/handle.h"
#include "loop/loop.h"

struct uv_timer_s;

namespace roomcast::loop {

/// A timer of the loop: for the few things that need one of their own. Connections use base::Deadline.
/// Destroying it stops it, also from within on_timer.
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

  /// Calls the listener once in `ms` milliseconds, instead of whatever was started before.
  void start_once(std::int64_t ms);
  /// Calls the listener every `ms` milliseconds, at least 1, the first time in as many.
  void start_every(std::int64_t ms);
  void stop();
  [[nodiscard]] bool is_active() const;

 private:
  static void on_expiry(uv_timer_s* handle) noexcept;

  Listener& listener_;
  Handle<uv_timer_s> handle_;
};

}  // namespace roomcast::loop
