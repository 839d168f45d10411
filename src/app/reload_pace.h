#pragma once

#include <cstdint>

#include "base/clock.h"
#include "loop/handles.h"
#include "loop/loop.h"

namespace roomcast::app {

/// Paces reloads. A reload blocks the loop while the files are read (some 50 to 100 microseconds for each
/// rule for rooms), so a burst of requests leads to one reload at once, one after the last request, and in
/// between one now and then.
class ReloadPace final : private loop::Timer::Listener {
 public:
  static constexpr std::int64_t least_pause_ms = 100;
  /// The pause after a reload is at least this many times as long as the reload took: reloads get a tenth of
  /// the loop's time at most.
  static constexpr std::int64_t pauses_per_reload = 10;

  class Listener {
   public:
    virtual void on_reload_due() = 0;

   protected:
    ~Listener() = default;
  };

  /// `clock` and `listener` outlive this.
  ReloadPace(loop::Loop& loop, const base::Clock& clock, Listener& listener)
      : clock_(clock), listener_(listener), timer_(loop, *this) {}

  /// Requests a reload, soon but never from within this call. Does nothing if one is pending.
  void ask();
  /// Cancels the pending reload, and ignores further requests.
  void stop();

 private:
  void on_timer(loop::Timer& timer) override;

  const base::Clock& clock_;
  Listener& listener_;
  loop::Timer timer_;
  std::int64_t next_us_ = 0;  // earliest time of the next reload
  bool stopped_ = false;
};

}  // namespace roomcast::app
