#pragma once

#include <cstdint>

#include "base/clock.h"
#include "loop/handles.h"
#include "loop/loop.h"

namespace roomcast::app {

/// When a reload that was asked for is done. It holds the loop for as long as it takes to read the files anew
/// (some 50 to 100 microseconds for each rule for rooms), so those who ask in a burst get one at once and one
/// behind the last of them, and in between one now and then.
class ReloadPace final : private loop::Timer::Listener {
 public:
  static constexpr std::int64_t least_pause_ms = 100;
  /// Behind a long reload the pause is so many times as long: it has a tenth of the loop's time at most.
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

  /// Has it done soon, and never from within this call. Nothing is added to one that has been asked for and
  /// was not begun.
  void ask();
  /// What has been asked for is not done any more, nor what will be.
  void stop();

 private:
  void on_timer(loop::Timer& timer) override;

  const base::Clock& clock_;
  Listener& listener_;
  loop::Timer timer_;
  std::int64_t next_us_ = 0;  // not before that
  bool stopped_ = false;
};

}  // namespace roomcast::app
