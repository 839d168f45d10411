#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"

struct uv_loop_s;

namespace roomcast::loop {

/// The event loop. One thread runs it, and everything that refers to it belongs to that thread.
///
/// It must be destroyed last: whatever has handles on it (timers, streams, listeners) is dropped before. The
/// destructor lets their close callbacks run and then insists that uv_loop_close() succeeds; if not, it lists
/// the handles that were left open and aborts.
class Loop final : public base::Clock {
 public:
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

  /// As of the beginning of the turn (or of the last return from sleep): the same for all that happens in it.
  [[nodiscard]] std::int64_t monotonic_ms() const override;
  [[nodiscard]] std::int64_t wall_ms() const override;

  /// How many handles exist, those being closed included.
  [[nodiscard]] std::size_t handle_count() const;
  /// For the makers of handles.
  [[nodiscard]] uv_loop_s* native() const { return loop_.get(); }

 private:
  std::unique_ptr<uv_loop_s> loop_;
};

}  // namespace roomcast::loop
