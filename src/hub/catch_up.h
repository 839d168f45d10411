#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "base/dirty_list.h"
#include "base/scheduler.h"
#include "hub/engine.h"
#include "hub/engine_requests.h"
#include "hub/hub_parts.h"
#include "hub/member.h"
#include "hub/membership_observer.h"

namespace roomcast::hub {

class Room;

/// Brings members from joining to live, in slices: acknowledges joins, delivers pages of history, has the
/// engine read the pages that are not retained here, and notifies members of gaps. A page is made or read
/// once for all members of a room that continue after the same position.
class CatchUp {
 public:
  /// All of these outlive it.
  struct Parts {
    Engine& engine;
    base::Scheduler& scheduler;
    EngineRequests& requests;
    const HubLimits& limits;
    HubStats& stats;
    const std::vector<MembershipObserver*>& observers;
  };

  explicit CatchUp(const Parts& parts) : parts_(parts) {}
  CatchUp(const CatchUp&) = delete;
  CatchUp& operator=(const CatchUp&) = delete;

  /// Has `advance` called for a member that is not live at the end of the turn.
  void schedule(Member& member);
  /// The same for all members of the room that are not live.
  void schedule_all(Room& room);
  /// Refuses all members of the room whose join has not been acknowledged.
  void refuse_joining(Room& room, const Refusal& refusal);
  /// Takes the member one step further: refused, acknowledged, one more page, or live. Its subscriber may
  /// drop the membership meanwhile.
  void advance(Member& member);
  /// The member leaves.
  void forget(Member& member);
  /// The room, which has no members, is destroyed.
  void forget(Room& room);

  /// The engine's answer to a read for members of `room`; null if that is gone.
  void on_page(Room* room, Ticket ticket, ReadOutcome&& outcome);
  /// The room's log has begun anew or goes on elsewhere: a page that is being read is not wanted any more.
  void on_reset(Room& room);

  /// Does one slice.
  void do_slice();
  [[nodiscard]] bool has_work() const {
    return !joining_.empty() || !catching_up_.empty() || !ready_rooms_.empty();
  }

 private:
  [[nodiscard]] base::DirtyList& list_of(const Member& member);
  [[nodiscard]] bool may_make_page() const;
  [[nodiscard]] bool notify(Member& member);
  [[nodiscard]] bool find_start(Member& member, bool has_asked);
  void replay(Member& member);
  void end_refused(Member& member);
  void remember_page(Room& room);
  void want_page(Member& member, std::uint64_t after);
  void begin_read(Room& room, std::uint64_t after, const std::optional<LookBack>& look_back);
  void begin_next_read();
  void release(Room& room);
  void advance_ready();
  void end_ready(Room& room);

  Parts parts_;
  base::DirtyList joining_;          // members whose join is to be acknowledged
  base::DirtyList catching_up_;      // members that are to get a page
  Member* advancing_ = nullptr;      // the member whose subscriber is called; null once it has left
  std::size_t page_bytes_made_ = 0;  // in this slice, as Room::Replay counts them
  std::size_t joins_done_ = 0;       // in this slice, and the names listed for them
  std::deque<Room*> with_page_;      // rooms that may hold a page, the oldest page first
  std::deque<Room*> ready_rooms_;    // whose page has come, see PageReading::has_ready
  std::deque<Room*> wanting_rooms_;  // whose page is still to be asked for
};

}  // namespace roomcast::hub
