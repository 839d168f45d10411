#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "base/clock.h"
#include "base/scheduler.h"

namespace roomcast::session {

class Session;
class SessionTable;

/// Work on all sessions, in slices between which others are served: one after another, each over the sessions
/// that there are when it comes to them. Sessions that are opened meanwhile may or may not be visited.
class Sweeps final : private base::TurnTask {
 public:
  using Visit = std::function<void(Session&)>;

  Sweeps(SessionTable& table, base::Scheduler& scheduler, const base::Clock& clock)
      : table_(table), scheduler_(scheduler), clock_(clock) {}
  ~Sweeps() { scheduler_.forget(*this); }

  /// Has `visit` called once for each session that has not begun to close. It may close that one.
  void add(Visit visit);
  /// The same for Session::reconsider_rights. Asked for again while it is under way it goes on until every
  /// session has been visited after that.
  void add_rights();
  [[nodiscard]] bool is_idle() const { return sweeps_.empty(); }

 private:
  struct Sweep {
    Visit visit;             // empty: reconsider_rights
    std::uint32_t next = 0;  // slot
    std::size_t left = 0;    // slots
  };
  void run_at_turn_end() override;
  void push(Visit visit);
  static void visit(const Sweep& sweep, Session& session);

  SessionTable& table_;
  base::Scheduler& scheduler_;
  const base::Clock& clock_;
  std::deque<Sweep> sweeps_;  // the first one is under way
};

}  // namespace roomcast::session
