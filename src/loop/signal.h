#pragma once

#include "loop/handle.h"
#include "loop/loop.h"

struct uv_signal_s;

namespace roomcast::loop {

/// Watches one signal of the process and reports it from within the loop.
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

}  // namespace roomcast::loop
