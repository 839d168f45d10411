#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/clock.h"
#include "base/scheduler.h"
#include "part/part.h"

namespace roomcast::transport {

class Polls;

/// Looks at all polls that wait when what their clients may has changed, in slices between which others are
/// served: one time after another, each over the polls that there are when it comes to them. Those that begin
/// meanwhile have been checked already.
class PollSweep final : private base::TurnTask {
 public:
  /// All outlive it.
  PollSweep(Polls& polls, base::Scheduler& scheduler, const base::Clock& clock)
      : polls_(polls), scheduler_(scheduler), clock_(clock) {}
  PollSweep(const PollSweep&) = delete;
  PollSweep& operator=(const PollSweep&) = delete;
  ~PollSweep() { scheduler_.forget(*this); }

  /// Has Poll::reconsider called for each. Asked for again without a check while one without is under way, it
  /// goes on until every poll has been visited after that.
  void add(const part::ClientCheck& also);

 private:
  struct Round {
    part::ClientCheck also;  // may be empty
    std::uint32_t next = 0;  // slot
    std::size_t left = 0;    // slots
  };
  void run_at_turn_end() override;

  Polls& polls_;
  base::Scheduler& scheduler_;
  const base::Clock& clock_;
  std::deque<Round> rounds_;  // the first one is under way
};

}  // namespace roomcast::transport
