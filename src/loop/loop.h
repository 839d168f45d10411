#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"

struct uv_loop_s;

namespace roomcast::loop {

/// The event loop: libuv's, which sleeps elsewhere. One thread runs it, and all objects that refer to it
/// belong to that thread.
///
/// Nearly all events concern sockets, which a Poller watches without libuv. So the loop sleeps in the poller,
/// which also watches libuv's descriptor (see uv_backend_fd()), and runs libuv when a timer is due, a signal
/// has arrived or a handle is to be closed.
///
/// Must be destroyed last: owners of handles on it (timers, signals) are destroyed before. The destructor
/// runs their close callbacks and then requires uv_loop_close() to succeed; otherwise it lists the open
/// handles and aborts.
class Loop final : public base::Clock {
 public:
  /// The place where the loop sleeps; implemented by Poller.
  class Sleeper {
   public:
    /// Sleeps until an event arrives, at most `timeout_ms`; without limit if that is negative.
    virtual void sleep(int timeout_ms) = 0;
    /// Calls the handlers of the events. True if libuv has events to handle.
    virtual bool dispatch() = 0;
    /// Whether there were more events than are handled in one turn, so that others may be ready.
    [[nodiscard]] virtual bool is_busy() const = 0;

   protected:
    ~Sleeper() = default;
  };

  /// Work before and after the sleep; implemented by Turn.
  class Worker {
   public:
    /// Called after the sleep.
    virtual void begin_turn() = 0;
    /// Called at the end of a turn. `busy`: more events are ready. True if work is left: the next turn does
    /// not sleep.
    virtual bool end_turn(bool busy) = 0;

   protected:
    ~Worker() = default;
  };

  /// Throws std::system_error when the system has no resources for a loop.
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  /// Runs until `stop` is called, or no handle is active and there is no worker.
  void run();
  /// Runs one turn, which sleeps until an event arrives.
  void run_turn();
  /// Runs one turn without sleeping.
  void run_turn_without_waiting();
  /// Makes `run` return at the end of this turn.
  void stop();

  /// The time at the beginning of the turn: the same for everything that happens in it.
  [[nodiscard]] std::int64_t monotonic_ms() const override;
  [[nodiscard]] std::int64_t wall_ms() const override { return wall_ms_; }
  [[nodiscard]] std::int64_t monotonic_us() const override;

  /// The number of handles, including those being closed.
  [[nodiscard]] std::size_t handle_count() const;
  /// For initialising handles.
  [[nodiscard]] uv_loop_s* native() const { return loop_.get(); }
  /// At most one of each at a time; null for none.
  void set_sleeper(Sleeper* sleeper);
  void set_worker(Worker* worker);

 private:
  void turn(bool may_sleep);
  void begin_turn();
  void sleep_for_libuv(int timeout_ms) const;
  [[nodiscard]] bool is_alive() const;
  [[nodiscard]] int timeout_ms() const;

  std::unique_ptr<uv_loop_s> loop_;
  Sleeper* sleeper_ = nullptr;
  Worker* worker_ = nullptr;
  std::int64_t wall_ms_;
  bool work_left_ = true;  // work registered before the first turn is done before the first sleep
  bool stopped_ = false;
};

}  // namespace roomcast::loop
