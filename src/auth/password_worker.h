#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "auth/password.h"
#include "base/slot_map.h"
#include "loop/thread_pool.h"

namespace roomcast::auth {

/// Compares passwords with their hashes on other threads: a few at a time, since each takes its memory and a
/// core; a bounded number waits.
class PasswordWorker {
 public:
  struct Limits {
    std::size_t at_a_time = 2;
    std::size_t waiting = 64;
  };
  struct Stats {
    std::uint64_t checked = 0;    ///< hashes computed
    std::uint64_t refused = 0;    ///< too many waited
    std::uint64_t cancelled = 0;  ///< not computed, since the client had left
  };
  /// `matches`: whether the password was right; nothing if there was no memory to find out.
  using Done = std::function<void(std::optional<bool> matches)>;

  explicit PasswordWorker(loop::Loop& loop) : pool_(loop) {}
  PasswordWorker(const PasswordWorker&) = delete;
  PasswordWorker& operator=(const PasswordWorker&) = delete;
  /// `done` of those that are left is not called.
  ~PasswordWorker() = default;

  void set_limits(Limits limits) { limits_ = limits; }
  /// Calls `done` later, from the loop. Nothing if too many wait.
  [[nodiscard]] std::optional<base::SlotId> check(PasswordHash hash, std::string password, Done done);
  /// `done` is not called any more; has no effect if it has been.
  void cancel(base::SlotId id);

  [[nodiscard]] const Stats& stats() const { return stats_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  class Check;
  struct Task {
    Done done;                         // empty: cancelled
    std::optional<PasswordHash> hash;  // nothing once it runs
    std::string password;
  };

  void start_some();
  void on_checked(base::SlotId id, std::optional<bool> matches);

  Limits limits_;
  Stats stats_;
  base::SlotMap<Task> tasks_;
  std::deque<base::SlotId> waiting_;
  loop::ThreadPool pool_;  // the last, since its jobs refer to the rest
};

}  // namespace roomcast::auth
