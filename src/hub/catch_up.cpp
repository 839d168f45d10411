#include "hub/catch_up.h"

#include <algorithm>
#include <utility>

#include "hub/presence.h"
#include "hub/room.h"

namespace roomcast::hub {

namespace {

// Joins per slice; so many names in a presence list count as one.
constexpr std::size_t slice_joins = 256;
constexpr std::size_t names_per_join = 4;
// A slice that has made and encoded pages of so much makes no further one: see Batch::encoded_bytes.
constexpr std::size_t slice_page_bytes = 65'536;
constexpr std::size_t slice_ready = 256;
// Pages that are kept for the next member that catches up: bounds what they and their encodings take.
constexpr std::size_t pages_max = 16;
// Pages that are being read at a time: each takes a page of memory when it comes.
constexpr std::size_t member_reads_max = 16;

}  // namespace

// --- Members ---

void CatchUp::schedule(Member& member) {
  list_of(member).mark(member);
  parts_.scheduler.wake();
}

base::DirtyList& CatchUp::list_of(const Member& member) {
  return member.state() == Member::State::joining ? joining_ : catching_up_;
}

void CatchUp::schedule_all(Room& room) {
  room.fan_out().for_each([this](Member& member) {
    if (!member.is_live()) schedule(member);
  });
}

void CatchUp::refuse_joining(Room& room, const Refusal& refusal) {
  room.fan_out().for_each([&](Member& member) {
    if (!member.is_new()) return;
    member.refuse(refusal);
    schedule(member);
  });
}

void CatchUp::forget(Member& member) {
  PageReading* const reading = member.room().record().reading.get();
  if (!list_of(member).forget(member) && reading != nullptr) reading->forget(member);
  if (advancing_ == &member) advancing_ = nullptr;
}

void CatchUp::forget(Room& room) {
  for (std::deque<Room*>* list : {&with_page_, &ready_rooms_, &wanting_rooms_})
    list->erase(std::remove(list->begin(), list->end(), &room), list->end());
}

void CatchUp::do_slice() {
  page_bytes_made_ = 0;
  joins_done_ = 0;
  while (joins_done_ < slice_joins && joining_.run_next())
    ++joins_done_;
  advance_ready();
  for (std::size_t i = 0; i < slice_joins && may_make_page() && catching_up_.run_next(); ++i) {
  }
  if (has_work()) return;
  for (Room* room : with_page_)
    room->log().drop_page();
  with_page_.clear();
}

void CatchUp::advance(Member& member) {
  using State = Member::State;
  Room& room = member.room();
  if (member.is_live() || member.state() == State::refused) return;
  if (member.refusal()) return end_refused(member);
  // A room that is not open yet schedules its members when it is.
  if (!room.log().is_open()) return;
  if (member.state() == State::awaiting_page || member.state() == State::awaiting_start) {
    const PageReading* const reading = room.record().reading.get();
    if (reading != nullptr && reading->refusal) {
      member.refuse(*reading->refusal);
      return end_refused(member);
    }
    member.end_await(reading != nullptr && reading->has_come);
  }
  if (!notify(member) || room.go_live(member)) return;
  if (member.take_paused()) return;
  if (!room.log().has_page_after(member.after())) return want_page(member, member.after());
  if (!may_make_page()) return schedule(member);
  replay(member);
}

bool CatchUp::may_make_page() const { return page_bytes_made_ < slice_page_bytes; }

/// Calls the member's subscriber for what it must know before it gets more. False if that made it leave, or
/// if the engine is asked first: nobody is told where it goes on before the page that follows there is here,
/// since the engine's floor may have risen. It is asked once, then what is known counts.
bool CatchUp::notify(Member& member) {
  Room& room = member.room();
  const bool has_asked = member.take_page_come();
  const bool is_new = member.is_new();
  if (is_new && !find_start(member, has_asked)) return false;
  const bool is_other_log = member.is_log_lost();
  const std::uint64_t behind_hole = room.behind_hole(member.after());
  const bool is_at_hole = !is_other_log && behind_hole != member.after();
  const bool is_overtaken = is_other_log || is_at_hole || !room.can_continue_after(member.after());
  if (is_overtaken && !is_new) {
    const Position first = room.log().earliest();
    // Of another log it gets what has come since that began, behind a hole all that follows that.
    const Position start = room.log().position_at(behind_hole);
    const bool is_start = (is_other_log || is_at_hole) && room.can_continue_after(start.offset);
    const Position cursor = is_start ? start : first;
    const Joined next{cursor, Gap{cursor, first}};
    if (!has_asked && !room.is_certain(next)) {
      want_page(member, room.page_to_begin_with(next));
      return false;
    }
    member.start_at(next);
  }
  member.clear_log_lost();
  const bool has_fallen_behind = member.take_fallen_behind();
  if (!is_new && !is_overtaken && !has_fallen_behind) return true;
  if ((is_new || is_overtaken) && member.start().gap) ++parts_.stats.gaps;
  // A copy: the member may be gone before the call returns.
  const Joined start = member.start();
  advancing_ = &member;
  if (has_fallen_behind && !is_new) member.subscriber().on_behind(member.membership());
  if (is_new) {
    room.acknowledge(member);
    for (MembershipObserver* observer : parts_.observers)
      observer->on_member_acknowledged(room, member);
    if (member.interest().watch_presence) joins_done_ += PresenceTracker::listed(room) / names_per_join;
    member.subscriber().on_joined(member.membership(), start);
  } else if (is_overtaken) {
    member.subscriber().on_gap(member.membership(), *start.gap);
  }
  return std::exchange(advancing_, nullptr) != nullptr;
}

/// Brings the start of a member that has not been acknowledged up to date. False if the engine has to be
/// asked first.
bool CatchUp::find_start(Member& member, bool has_asked) {
  Room& room = member.room();
  // It joined while the room had no position to give.
  if (!member.has_start()) room.assign_start(member);
  const PageReading* const reading = room.record().reading.get();
  const bool is_found = has_asked && member.look_back() && member.look_back() == reading->look_back;
  if (is_found) room.start_at(member, reading->found);
  const bool is_moved = member.is_log_lost() || room.behind_hole(member.after()) != member.after() ||
                        !room.can_continue_after(member.after());
  // What it asked for has been dropped meanwhile. It does not know its position yet: it gets another.
  if (is_moved) room.assign_start(member);
  if (is_found) member.look_back_from(std::nullopt);
  if (has_asked) room.renew_earliest(member);
  if (!member.look_back() && (has_asked || room.is_certain(member.start()))) return true;
  want_page(member, room.page_to_begin_with(member.start()));
  return false;
}

void CatchUp::end_refused(Member& member) {
  const Refusal refusal = *member.refusal();
  member.room().end_refused(member);
  member.subscriber().on_refused(member.membership(), refusal);
}

void CatchUp::replay(Member& member) {
  Room& room = member.room();
  const Room::Replay done = room.replay(member, parts_.limits.page_bytes);
  parts_.stats.replayed += done.messages;
  if (done.made_bytes == 0) return;
  page_bytes_made_ += done.made_bytes;
  remember_page(room);
}

/// Notes that the room has a page, and drops that of another if there are too many.
void CatchUp::remember_page(Room& room) {
  if (std::find(with_page_.begin(), with_page_.end(), &room) != with_page_.end()) return;
  if (with_page_.size() == pages_max) {
    with_page_.front()->log().drop_page();
    with_page_.pop_front();
  }
  with_page_.push_back(&room);
}

// --- Pages from the engine ---

/// The page after `after`, or that which the member's look-back begins with, is not here: the member goes on
/// when the engine has read it.
void CatchUp::want_page(Member& member, std::uint64_t after) {
  Room& room = member.room();
  const std::optional<LookBack> look_back = member.look_back();
  if (member.is_new()) {
    room.await_start(member);
  } else {
    member.await_page();
  }
  std::unique_ptr<PageReading>& reading = room.record().reading;
  if (!reading) reading = std::make_unique<PageReading>();
  reading->await(member);
  // The next page takes the place of the last: members for which that has come are served first.
  if (!reading->is_busy() && !reading->has_ready()) begin_read(room, after, look_back);
}

void CatchUp::begin_read(Room& room, std::uint64_t after, const std::optional<LookBack>& look_back) {
  PageReading& reading = *room.record().reading;
  if (parts_.requests.member_reads() == member_reads_max) {
    reading.is_queued = true;
    wanting_rooms_.push_back(&room);
    return;
  }
  const Ticket ticket = parts_.requests.add(EngineRequests::Read{room.name()});
  reading.ticket = ticket;
  reading.after = after;
  reading.look_back = look_back;
  const std::uint64_t epoch = room.log().top().epoch;
  if (look_back) {
    parts_.engine.read_back(room.name(), {epoch, look_back->before}, look_back->messages, page_messages,
                            parts_.limits.page_bytes, ticket);
  } else {
    parts_.engine.read(room.name(), {epoch, after}, page_messages, parts_.limits.page_bytes, ticket);
  }
  parts_.requests.watch(ticket, parts_.limits.engine_ms);
}

void CatchUp::on_page(Room* room, Ticket ticket, ReadOutcome&& outcome) {
  begin_next_read();
  if (room == nullptr || !room->record().reading || room->record().reading->ticket != ticket) return;
  PageReading& reading = *room->record().reading;
  reading.ticket = 0;
  if (outcome) {
    reading.has_come = true;
    reading.found = outcome->after;
    const std::uint64_t after = reading.look_back ? reading.found : reading.after;
    room->log().take_page_read(after, std::move(*outcome), room->fan_out().handed_offset());
    remember_page(*room);
  } else {
    reading.refusal = outcome.error();
  }
  release(*room);
}

/// Lets a room that had to wait for a free place ask for its page: the first of its members that still needs
/// one does so when it is advanced.
void CatchUp::begin_next_read() {
  if (wanting_rooms_.empty()) return;
  Room& room = *wanting_rooms_.front();
  wanting_rooms_.pop_front();
  room.record().reading->is_queued = false;
  room.record().reading->has_come = false;
  release(room);
}

void CatchUp::on_reset(Room& room) {
  if (!room.record().reading) return;
  room.record().reading->ticket = 0;
  room.record().reading->has_come = false;
  release(room);
}

/// Has the members advanced that wait for a page.
void CatchUp::release(Room& room) {
  PageReading& reading = *room.record().reading;
  if (reading.has_ready()) return;  // they follow when those have been served
  reading.release();
  if (std::find(ready_rooms_.begin(), ready_rooms_.end(), &room) == ready_rooms_.end())
    ready_rooms_.push_back(&room);
  parts_.scheduler.wake();
}

void CatchUp::advance_ready() {
  for (std::size_t i = 0; i < slice_ready && may_make_page() && !ready_rooms_.empty(); ++i) {
    Room& room = *ready_rooms_.front();
    if (room.record().reading->advance_next()) continue;
    ready_rooms_.pop_front();
    end_ready(room);
  }
}

/// All members have been served for which the last page came.
void CatchUp::end_ready(Room& room) {
  std::unique_ptr<PageReading>& reading = room.record().reading;
  reading->refusal.reset();
  reading->has_come = false;
  if (reading->is_busy()) return;
  if (reading->has_awaiting()) {
    release(room);
  } else {
    reading.reset();
  }
}

}  // namespace roomcast::hub
