#include "hub/hub.h"

#include <algorithm>
#include <utility>

namespace roomcast::hub {

namespace {

// Members per slice: so few that what the fan-out has touched of them is still near when the flush that
// follows comes to it, so many that what each slice touches first, coming from the kernel, counts for little.
constexpr std::size_t slice_members = 128;
// What a room without members costs beside one with them, in members: its messages are moved and released.
constexpr std::size_t room_members = 2;
// A slice with less left than this begins with no further room.
constexpr std::size_t rest_members = 32;
// Joins per slice; so many names of a list of who is here count as one.
constexpr std::size_t slice_joins = 256;
constexpr std::size_t names_per_join = 4;
// A slice with pages of the past of so much, made and encoded, makes no further one: see
// Batch::encoded_bytes.
constexpr std::size_t slice_page_bytes = 65'536;
constexpr std::size_t slice_rules = 256;
constexpr std::size_t slice_completions = 64;
// Pages that are kept for whoever catches up next: bounds what they and their encodings take.
constexpr std::size_t pages_max = 16;

}  // namespace

Hub::Hub(const HubParts& parts, const HubLimits& limits, RoomRules rules)
    : parts_(parts),
      limits_(limits),
      rules_(std::move(rules)),
      presence_(*this, parts.scheduler, parts.deadlines, parts.clock),
      retention_(parts.clock, *this),
      due_(parts.deadlines, *this) {
  add_observer(presence_);
  parts_.engine.start(*this);
}

std::unique_ptr<Membership> Hub::subscribe(std::string_view room, Subscriber& subscriber,
                                           const Interest& interest) {
  return std::make_unique<Membership>(*this, room, subscriber, interest);
}

void Hub::join(Member& member, std::string_view name) {
  Room& room = find_or_create(name);
  room.join(member);
  if (room.log().is_open()) {
    room.assign_start(member);
  } else {
    await_open(room);
  }
  schedule(member);
  if (room.members() == 1) {
    ++occupied_rooms_;
    occupied_bytes_ += Retention::room_cost(room.name());
  }
  for (MembershipObserver* observer : observers_)
    observer->on_member_joined(room, member);
  retention_.touch(room);
}

void Hub::leave(Member& member) {
  Room& room = member.room();
  if (!list_of(member).forget(member) && room.past_) room.past_->forget(member);
  if (advancing_ == &member) advancing_ = nullptr;
  room.leave(member);
  for (MembershipObserver* observer : observers_)
    observer->on_member_left(room, member);
  if (room.members() == 0) {
    --occupied_rooms_;
    occupied_bytes_ -= Retention::room_cost(room.name());
  }
  unpark(room);
  retention_.touch(room);
}

void Hub::let_go(Member& member) {
  member.room().fan_out().let_go(member);
  unpark(member.room());
}

void Hub::publish(std::string_view room, Draft draft, PublishDone done, WhenShort when_short) {
  if (overloaded_ && when_short == WhenShort::refuse) {
    return refuse(std::move(done), {Refusal::Code::overloaded, "memory is short (limits.memory_bytes)"});
  }
  if (!has_space_for(room)) return refuse(std::move(done), no_space_for_room);
  Room& found = find_or_create(room);
  if (would_wait(found)) return delay(found, std::move(draft), std::move(done));
  hand_over(found, std::move(draft), std::move(done));
}

void Hub::hand_over(Room& room, Draft draft, PublishDone done) {
  Ticket ticket = 0;
  if (done) {
    ticket = ++last_ticket_;
    waiting_.emplace(ticket, Waiting{room.name(), std::move(done)});
  }
  parts_.engine.publish(room.name(), std::move(draft), ticket);
  if (ticket != 0) watch_answer(ticket);
}

void Hub::refuse(PublishDone done, const Refusal& refusal) {
  ++stats_.refused;
  if (!done) return;
  completed_.emplace_back(std::move(done), refusal);
  parts_.scheduler.wake();
}

void Hub::set_overloaded(bool overloaded) {
  overloaded_ = overloaded;
  parts_.scheduler.wake();
}

void Hub::set_rules(RoomRules rules) {
  if (rules == rules_) return;
  rules_ = std::move(rules);
  rules_due_ = all_.size();
  apply_rules_to_some();
  parts_.scheduler.wake();
}

void Hub::apply_rules_to_some() {
  // From the back, so that rooms that go meanwhile leave no other one out.
  for (std::size_t i = 0; i < slice_rules && rules_due_ != 0; ++i) {
    rules_due_ = std::min(rules_due_, all_.size());
    if (rules_due_ == 0) return;
    Room& room = *all_[--rules_due_];
    room.set_settings(rules_.find(room.name()));
    presence_.on_settings(room);
    retention_.trim(room);  // this may be its end
  }
}

void Hub::set_limits(const HubLimits& limits) {
  limits_ = limits;
  retention_.forget_some(limits_.history_bytes);
  parts_.scheduler.wake();
}

std::size_t Hub::shed_history() {
  parts_.scheduler.wake();
  return retention_.shed_half();
}

std::size_t Hub::subscribers(std::string_view room) const {
  const Room* found = find(room);
  return found == nullptr ? 0 : found->members();
}

PresenceSnapshot Hub::presence(std::string_view room) const {
  const Room* found = find(room);
  if (found != nullptr) return PresenceTracker::snapshot(*found);
  return {0, std::vector<base::Bytes>{}, 0};
}

std::size_t Hub::listed(std::string_view room) const {
  const Room* found = find(room);
  return found == nullptr ? 0 : PresenceTracker::listed(*found);
}

bool Hub::do_slice() {
  run_completions();
  if (rules_due_ != 0) apply_rules_to_some();
  advance_some();
  // Before the messages, so that a name is known before its first message.
  if (presence_.has_updates()) presence_.announce_next(slice_members);
  fan_out_some_rooms();
  publish_delayed();
  const bool has_more_to_forget = retention_.forget_some(limits_.history_bytes);
  return !active_.empty() || presence_.has_updates() || !completed_.empty() || !joining_.empty() ||
         !catching_up_.empty() || !ready_rooms_.empty() || can_publish_delayed() || rules_due_ != 0 ||
         has_more_to_forget;
}

void Hub::fan_out_some_rooms() {
  std::size_t left = slice_members;
  while (!active_.empty() && left > rest_members) {
    Room& room = *active_.front();
    active_.pop_front();
    if (room.is_reset_due()) {
      left -= std::min(left, room.members() + room_members);
      apply_reset(room);
    } else if (room.fan_out().should_wait(limits_.page_bytes)) {
      park(room);
      left -= room_members;
    } else {
      left -= std::min(left, fan_out_room(room, left));
    }
  }
}

/// Hands out a room's messages to at most `members`; returns what that cost, in members.
std::size_t Hub::fan_out_room(Room& room, std::size_t members) {
  const std::size_t before = room.backlog_bytes();
  const FanOut::Progress progress = room.deliver(members, limits_.page_bytes);
  stats_.deliveries += progress.deliveries;
  backlog_bytes_ -= before - room.backlog_bytes();
  if (room.has_work()) {
    active_.push_back(&room);
  } else {
    retention_.on_idle(room);
  }
  give_turn(room);
  // Encoding a few hundred bytes takes as long as a delivery.
  constexpr std::size_t bytes_per_member = 1'024;
  return room_members + progress.members + progress.encoded_bytes / bytes_per_member;
}

void Hub::run_completions() {
  // A completion may publish again: those are called next time.
  for (std::size_t left = std::min(completed_.size(), slice_completions); left > 0; --left) {
    const auto [done, result] = std::move(completed_.front());
    completed_.pop_front();
    done(result);
  }
}

void Hub::schedule(Member& member) {
  list_of(member).mark(member);
  parts_.scheduler.wake();
}

base::DirtyList& Hub::list_of(const Member& member) {
  return member.state() == Member::State::joining ? joining_ : catching_up_;
}

void Hub::advance_some() {
  page_bytes_made_ = 0;
  joins_told_ = 0;
  while (joins_told_ < slice_joins && joining_.flush_next())
    ++joins_told_;
  advance_ready();
  for (std::size_t i = 0; i < slice_joins && may_make_page() && catching_up_.flush_next(); ++i) {
  }
  if (!joining_.empty() || !catching_up_.empty() || !ready_rooms_.empty()) return;
  for (Room* room : with_page_)
    room->log().drop_page();
  with_page_.clear();
}

void Hub::advance(Member& member) {
  using State = Member::State;
  Room& room = member.room();
  if (member.is_live() || member.state() == State::refused) return;
  if (member.refusal()) return end_refused(member);
  // A room that is not open yet schedules its members when it is.
  if (!room.log().is_open()) return;
  if (member.state() == State::awaiting_page) {
    if (room.past_ && room.past_->refusal) {
      member.refuse(*room.past_->refusal);
      return end_refused(member);
    }
    member.end_await();
  }
  if (!notify(member) || room.go_live(member)) return;
  if (member.take_paused()) return;
  if (!room.log().has_page_after(member.after())) return want_page(member);
  if (!may_make_page()) return schedule(member);
  replay(member);
}

bool Hub::may_make_page() const { return page_bytes_made_ < slice_page_bytes; }

/// Calls the member's subscriber for what it must know before it gets more. False if that made it leave.
bool Hub::notify(Member& member) {
  Room& room = member.room();
  const bool is_new = member.state() == Member::State::joining;
  // It joined while the room had no position to give.
  if (is_new && !member.has_start()) room.assign_start(member);
  const bool is_other_log = member.take_log_lost();
  const bool is_overtaken = is_other_log || !room.can_continue_after(member.after());
  if (is_overtaken && is_new) {
    // What it asked for has been dropped meanwhile. It does not know its position yet: it gets another.
    room.assign_start(member);
  } else if (is_overtaken) {
    const Position first = room.log().earliest();
    // Of another log it gets what has come since it moved on to that.
    const Position start{first.epoch, member.after()};
    const Position cursor = is_other_log && room.can_continue_after(start.offset) ? start : first;
    member.start_at({cursor, Gap{cursor, first}});
  }
  const bool has_fallen_behind = member.take_fallen_behind();
  if (!is_new && !is_overtaken && !has_fallen_behind) return true;
  if ((is_new || is_overtaken) && member.start().gap) ++stats_.gaps;
  // A copy: the member may be gone before the call returns.
  const Joined start = member.start();
  advancing_ = &member;
  if (has_fallen_behind && !is_new) member.subscriber().on_behind(member.membership());
  if (is_new) {
    room.acknowledge(member);
    for (MembershipObserver* observer : observers_)
      observer->on_member_acknowledged(room, member);
    if (member.interest().watch_presence) joins_told_ += PresenceTracker::listed(room) / names_per_join;
    member.subscriber().on_joined(member.membership(), start);
  } else if (is_overtaken) {
    member.subscriber().on_gap(member.membership(), *start.gap);
  }
  return std::exchange(advancing_, nullptr) != nullptr;
}

void Hub::replay(Member& member) {
  Room& room = member.room();
  const Room::Replay done = room.replay(member, limits_.page_bytes);
  stats_.replayed += done.messages;
  if (done.made_bytes == 0) return;
  page_bytes_made_ += done.made_bytes;
  note_page(room);
}

void Hub::note_page(Room& room) {
  if (std::find(with_page_.begin(), with_page_.end(), &room) != with_page_.end()) return;
  if (with_page_.size() == pages_max) {
    with_page_.front()->log().drop_page();
    with_page_.pop_front();
  }
  with_page_.push_back(&room);
}

void Hub::on_presence_changed(ObservedRoom& room) { retention_.on_idle(static_cast<Room&>(room)); }

void Hub::on_forgotten(Room& room) {
  for (std::deque<Room*>* list : {&with_page_, &ready_rooms_, &wanting_rooms_})
    list->erase(std::remove(list->begin(), list->end(), &room), list->end());
  end_await(room);
  if (last_found_ == &room) last_found_ = nullptr;
  all_[room.index_in_all_] = all_.back();
  all_[room.index_in_all_]->index_in_all_ = room.index_in_all_;
  all_.pop_back();
  if (room.subscribed_) parts_.engine.unsubscribe(room.name());
  rooms_.erase(*rooms_.find(room.name()));
}

Room* Hub::look_up(std::string_view name) const {
  const auto* const found = rooms_.find(name);
  if (found == nullptr) return nullptr;
  return last_found_ = found->second.get();
}

Room& Hub::find_or_create(std::string_view name) {
  if (Room* found = find(name)) {
    if (!found->subscribed_) subscribe_to(*found);
    return *found;
  }
  const std::size_t cost = Retention::room_cost(name);
  retention_.keep_within(limits_.history_bytes - std::min(cost, limits_.history_bytes));
  auto made = std::make_unique<Room>(*this, parts_.deadlines, std::string(name), rules_.find(name),
                                     retention_.kept_bytes());
  Room& room = *made;
  room.index_in_all_ = static_cast<std::uint32_t>(all_.size());
  all_.push_back(&room);
  rooms_.try_emplace(room.name(), std::move(made));
  retention_.add(room);
  subscribe_to(room);
  return room;
}

}  // namespace roomcast::hub
