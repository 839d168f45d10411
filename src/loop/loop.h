#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"

struct uv_loop_s;

namespace roomcast::loop {

/// The event loop: libuv's, with another place to sleep. One thread runs it, and everything that refers to it
/// belongs to that thread.
///
/// Nearly all that happens here happens to sockets, and a Poller hears of those without libuv. So the loop
/// sleeps there, with libuv's descriptor watched like any other (see uv_backend_fd()), and libuv gets a turn
/// when a timer is due, a signal has come or a handle is to be closed.
///
/// It must be destroyed last: whatever has handles on it (timers, streams, listeners) is dropped before. The
/// destructor lets their close callbacks run and then insists that uv_loop_close() succeeds; if not, it lists
/// the handles that were left open and aborts.
class Loop final : public base::Clock {
 public:
  /// Where the loop sleeps: a Poller.
  class Sleeper {
   public:
    /// Sleeps until there is somebody to call, `timeout_ms` at most; without end if that is negative.
    virtual void sleep(int timeout_ms) = 0;
    /// Calls them. True if libuv has something to do.
    virtual bool call() = 0;
    /// Whether there were more of them than are called in one turn, so that there may be others to call.
    [[nodiscard]] virtual bool is_busy() const = 0;

   protected:
    ~Sleeper() = default;
  };

  /// Whose work stands around the sleep: a Turn.
  class Worker {
   public:
    /// The loop has slept.
    virtual void begin_turn() = 0;
    /// It is going to, if it is not `busy` calling. True if work is left: it only looks at what else is ready
    /// and comes back.
    virtual bool end_turn(bool busy) = 0;

   protected:
    ~Worker() = default;
  };

  /// Throws std::system_error when the system has no resources for a loop.
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  /// Runs until `stop` is called; with a Turn on the loop it does not end by itself.
  void run();
  /// Runs one turn; sleeps in it until something happens.
  void run_turn();
  /// Runs one turn without sleeping.
  void run_turn_without_waiting();
  /// Has `run` return at the end of this turn.
  void stop();

  /// As of the beginning of the turn, both of milliseconds: the same for all that happens in it.
  [[nodiscard]] std::int64_t monotonic_ms() const override;
  [[nodiscard]] std::int64_t wall_ms() const override { return wall_ms_; }
  [[nodiscard]] std::int64_t monotonic_us() const override;

  /// How many handles exist, those being closed included.
  [[nodiscard]] std::size_t handle_count() const;
  /// For the makers of handles.
  [[nodiscard]] uv_loop_s* native() const { return loop_.get(); }
  /// One of each at a time, or none (null).
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
  bool work_left_ = true;  // what came before the first turn is done before the first sleep
  bool stopped_ = false;
};

}  // namespace roomcast::loop
