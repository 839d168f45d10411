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
constexpr std::size_t slice_rules = 256;
constexpr std::int64_t look_ms = 250;

constexpr Refusal opened_too_late{Refusal::Code::timed_out, "the room could not be opened in time"};

}  // namespace

Hub::Hub(const HubParts& parts, const HubLimits& limits, RoomRules rules)
    : parts_(parts),
      limits_(limits),
      rules_(std::move(rules)),
      requests_(*this, parts.clock, parts.deadlines),
      presence_(*this, parts.engine, parts.scheduler, parts.deadlines, parts.clock),
      retention_(parts.clock, *this, sizeof(Room)),
      catch_up_({parts.engine, parts.scheduler, requests_, limits_, stats_, observers_}),
      due_(parts.deadlines, *this) {
  add_observer(presence_);
  parts_.engine.start(*this);
}

// --- Rooms ---

Room* Hub::look_up(std::string_view name) const {
  const auto* const found = rooms_.find(name);
  if (found == nullptr) return nullptr;
  return last_found_ = found->second.get();
}

Room& Hub::find_or_create(std::string_view name, Source source) {
  if (Room* found = find(name)) {
    open_for(*found, source);
    return *found;
  }
  const std::size_t cost = retention_.room_cost(name);
  retention_.keep_within(limits_.history_bytes - std::min(cost, limits_.history_bytes));
  auto made =
      std::make_unique<Room>(*this, retention_, parts_.deadlines, std::string(name), rules_.find(name));
  Room& room = *made;
  room.record().index = all_.size();
  all_.push_back(&room);
  rooms_.try_emplace(room.name(), std::move(made));
  retention_.add(room.retained());
  subscribe_to(room, source);
  return room;
}

void Hub::on_evicted(std::string_view name) {
  Room& room = *find(name);
  catch_up_.forget(room);
  last_found_ = nullptr;
  const std::size_t index = room.record().index;
  all_[index] = all_.back();
  all_[index]->record().index = index;
  all_.pop_back();
  if (room.record().is_subscribed) parts_.engine.unsubscribe(name);
  rooms_.erase(*rooms_.find(name));
}

bool Hub::has_space_for(std::string_view room) const {
  const std::size_t needed = occupied_bytes_ + retention_.room_cost(room);
  return needed <= limits_.room_bytes || find(room) != nullptr;
}

void Hub::on_presence_changed(ObservedRoom& room) { on_use_changed(static_cast<Room&>(room)); }

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
  // From the back, so that rooms that are evicted meanwhile leave no other one out.
  for (std::size_t i = 0; i < slice_rules && rules_due_ != 0; ++i) {
    rules_due_ = std::min(rules_due_, all_.size());
    if (rules_due_ == 0) return;
    Room& room = *all_[--rules_due_];
    room.set_settings(rules_.find(room.name()));
    presence_.on_settings(room);
    retention_.trim(room.retained());  // this may evict it
  }
}

void Hub::set_limits(const HubLimits& limits) {
  limits_ = limits;
  retention_.evict_some(limits_.history_bytes);
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

RoomSummary Hub::summary_of(const Room& room) {
  const History& history = room.log().history();
  return {room.name(), room.members(), history.size(), history.bytes(),
          room.log().position_at(room.log().top().offset)};
}

std::optional<RoomSummary> Hub::summary(std::string_view room) const {
  const Room* found = find(room);
  return found == nullptr ? std::nullopt : std::optional(summary_of(*found));
}

std::optional<std::size_t> Hub::visit_rooms(std::size_t below, std::size_t most,
                                            const std::function<bool(const RoomSummary&)>& visit) const {
  // Backwards: where a room is forgotten the last one takes its place, and has been visited then.
  std::size_t at = std::min(below, all_.size());
  bool goes_on = true;
  for (; goes_on && most != 0 && at != 0; --most)
    goes_on = visit(summary_of(*all_[--at]));
  return at == 0 ? std::nullopt : std::optional(at);
}

PresenceSnapshot Hub::presence(std::string_view room, Hidden hidden) const {
  const Room* found = find(room);
  if (found != nullptr) return PresenceTracker::snapshot(*found, hidden);
  return {0, std::vector<Author>{}, 0};
}

bool Hub::knows_presence(std::string_view room) const {
  if (!parts_.engine.shares_presence()) return true;
  const Room* found = find(room);
  return found != nullptr && found->log().is_open();
}

std::size_t Hub::listed(std::string_view room) const {
  const Room* found = find(room);
  return found == nullptr ? 0 : PresenceTracker::listed(*found);
}

// --- Members ---

std::unique_ptr<Membership> Hub::subscribe(std::string_view room, Subscriber& subscriber,
                                           const Interest& interest) {
  return std::make_unique<Membership>(*this, room, subscriber, interest);
}

void Hub::join(Member& member, std::string_view name) {
  Room& room = find_or_create(name, member.interest().source);
  room.join(member);
  if (member.interest().since) confirm(room, *member.interest().since);
  if (room.log().is_open()) {
    room.assign_start(member);
  } else {
    await_open(room);
  }
  schedule(member);
  if (room.members() == 1) {
    ++occupied_rooms_;
    occupied_bytes_ += retention_.room_cost(name);
  }
  for (MembershipObserver* observer : observers_)
    observer->on_member_joined(room, member);
  retention_.touch(room.retained());
}

void Hub::leave(Member& member) {
  Room& room = member.room();
  catch_up_.forget(member);
  room.leave(member);
  for (MembershipObserver* observer : observers_)
    observer->on_member_left(room, member);
  if (room.members() == 0) {
    --occupied_rooms_;
    occupied_bytes_ -= retention_.room_cost(room.name());
  }
  end_wait(room);
  retention_.touch(room.retained());
}

void Hub::rename(Member& member, const Author& author) {
  presence_.on_member_renamed(member.room(), member, author);
}

void Hub::let_go(Member& member) {
  member.room().fan_out().let_go(member);
  end_wait(member.room());
}

// --- The end of a turn ---

bool Hub::do_slice() {
  run_completions();
  if (rules_due_ != 0) apply_rules_to_some();
  catch_up_.do_slice();
  // Before the messages, so that a name is known before its first message.
  if (presence_.has_updates()) presence_.announce_next(slice_members);
  fan_out_some_rooms();
  publish_delayed();
  const bool has_more_to_evict = retention_.evict_some(limits_.history_bytes);
  return !active_.empty() || presence_.has_updates() || !completed_.empty() || catch_up_.has_work() ||
         can_publish_delayed() || rules_due_ != 0 || has_more_to_evict;
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
      wait_for_members(room);
      left -= room_members;
    } else {
      left -= std::min(left, fan_out_room(room, left));
    }
  }
}

/// Delivers a room's messages to at most `members`; returns what that cost, in members.
std::size_t Hub::fan_out_room(Room& room, std::size_t members) {
  const std::size_t before = room.backlog_bytes();
  const FanOut::Progress progress = room.deliver(members, limits_.page_bytes);
  stats_.deliveries += progress.deliveries;
  backlog_bytes_ -= before - room.backlog_bytes();
  if (room.has_work()) {
    active_.push_back(&room);
  } else {
    on_use_changed(room);
  }
  give_turn(room);
  // Encoding a few hundred bytes takes as long as a delivery.
  constexpr std::size_t bytes_per_member = 1'024;
  return room_members + progress.members + progress.encoded_bytes / bytes_per_member;
}

/// Has the room's next fan-out wait for members, for a while.
void Hub::wait_for_members(Room& room) {
  held_up_.add(room, parts_.clock.monotonic_ms() + FanOut::wait_ms);
  watch_time();
}

/// Ends that if the room need not wait any more.
void Hub::end_wait(Room& room) {
  if (!held_up_.has(room) || room.fan_out().should_wait(limits_.page_bytes)) return;
  held_up_.remove(room);
  active_.push_back(&room);
  parts_.scheduler.wake();
}

void Hub::on_deadline() {
  const std::int64_t now_ms = parts_.clock.monotonic_ms();
  while (Room* const room = held_up_.take_due(now_ms)) {
    room->fan_out().end_wait();
    active_.push_back(room);
    parts_.scheduler.wake();
  }
  while (Room* const room = to_open_.take_due(now_ms)) {
    if (!room->log().is_known()) {
      room->record().is_subscribed = false;
      parts_.engine.unsubscribe(room->name());
    }
    catch_up_.refuse_joining(*room, opened_too_late);
    refuse_questions(*room, opened_too_late);
  }
  refuse_overdue(now_ms);
  watch_time();
}

/// Has on_deadline called a quarter of a second after something begins to wait, and as long as something
/// does.
void Hub::watch_time() {
  const bool is_idle = held_up_.empty() && to_open_.empty() && delayed_.size() == 0;
  if (!is_idle && !due_.is_set()) due_.set_in(look_ms);
}

}  // namespace roomcast::hub
