#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/dirty_list.h"
#include "hub/engine.h"
#include "hub/look_back.h"
#include "hub/refusal.h"

namespace roomcast::hub {

/// The members of one room that need pages from the engine, one page at a time for all: those that wait for
/// the next page, and those that are still to be advanced since the last one has come. They are called
/// through TurnTask::run_at_turn_end.
class PageReading {
 public:
  /// Adds a member that needs a page.
  void await(base::TurnTask& member) { awaiting().mark(member); }
  void forget(base::TurnTask& member) {
    if (!lists_[0].forget(member)) lists_[1].forget(member);
  }
  [[nodiscard]] bool has_awaiting() const { return !lists_.at(awaiting_).empty(); }
  [[nodiscard]] bool has_ready() const { return !lists_.at(1 - awaiting_).empty(); }
  /// The page is there, or refused: all that wait for it are ready. There are none that are ready already.
  void release() { awaiting_ = 1 - awaiting_; }
  /// Calls the first that is ready. False if there is none.
  bool advance_next() { return lists_.at(1 - awaiting_).run_next(); }

  /// Whether a page is being read or still to be asked for.
  [[nodiscard]] bool is_busy() const { return ticket != 0 || is_queued; }

  Ticket ticket = 0;                    ///< of the page that is being read; 0: none
  bool is_queued = false;               ///< it is still to be asked for
  bool has_come = false;                ///< those that are ready waited for a page, and it has come
  std::uint64_t after = 0;              ///< what was asked for
  std::optional<LookBack> look_back{};  ///< asked for instead of `after`
  std::uint64_t found = 0;              ///< the answer to `look_back`, with the last page: where it begins
  std::optional<Refusal> refusal{};     ///< the engine's answer instead of the last page

 private:
  [[nodiscard]] base::DirtyList& awaiting() { return lists_.at(awaiting_); }

  std::size_t awaiting_ = 0;  // which of the lists has those that wait
  std::array<base::DirtyList, 2> lists_;
};

}  // namespace roomcast::hub
