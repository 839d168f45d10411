#include "hub/hub.h"

#include <algorithm>
#include <utility>

namespace roomcast::hub {

namespace {

// Members per slice: so few that what the walk has touched of them is still near when the flush that follows
// comes to it, so many that what each slice touches first, coming from the kernel, counts for little.
constexpr std::size_t slice_members = 128;
constexpr std::size_t slice_joins = 256;
// Making a page of the past and encoding it takes about as long as a hundred joins.
constexpr std::size_t slice_pages = 4;
// Pages that are kept for whoever catches up next: bounds what they and their encodings take.
constexpr std::size_t pages_max = 16;

}  // namespace

Hub::Hub(const HubParts& parts, const HubLimits& limits, RoomRules rules)
    : parts_(parts), limits_(limits), rules_(std::move(rules)), recollection_(parts.clock, *this) {
  parts_.engine.start(*this);
}

std::unique_ptr<Membership> Hub::subscribe(std::string_view room, Subscriber& subscriber,
                                           const Interest& interest) {
  return std::make_unique<Membership>(*this, room, subscriber, interest);
}

void Hub::on_joined(Room& room) {
  if (room.members() == 1) ++occupied_rooms_;
  tell_of_presence(room);
  recollection_.touch(room);
}

void Hub::publish(std::string_view room, Draft draft, PublishDone done) {
  Ticket ticket = 0;
  if (done) {
    ticket = ++last_ticket_;
    waiting_.emplace(ticket, Waiting{std::string(room), std::move(done)});
  }
  if (!accepts_messages()) {
    ++stats_.refused;
    on_published(ticket, PublishRefusal{PublishRefusal::Why::overloaded,
                                        overloaded_ ? "memory is short (limits.memory_bytes)"
                                                    : "too many messages wait to be delivered"});
    return;
  }
  find_or_create(room);
  parts_.engine.publish(room, std::move(draft), ticket);
}

std::optional<HistoryPage> Hub::read_history(std::string_view room, const std::optional<Position>& since,
                                             const std::optional<std::size_t>& limit) {
  const Room& found = find_or_create(room);
  if (!found.is_open()) return std::nullopt;
  HistoryPage page = found.read(since, limit);
  recollection_.keep_within(limits_.history_bytes);
  return page;
}

void Hub::set_rules(RoomRules rules) {
  if (rules == rules_) return;
  rules_ = std::move(rules);
  std::vector<Room*> all;
  all.reserve(rooms_.size());
  for (const auto& [name, room] : rooms_)
    all.push_back(room.get());
  for (Room* room : all) {
    room->set_settings(rules_.find(room->name()));
    tell_of_presence(*room);
    recollection_.trim(*room);  // this may be its end
  }
}

void Hub::set_limits(const HubLimits& limits) {
  limits_ = limits;
  recollection_.keep_within(limits_.history_bytes);
}

std::size_t Hub::subscribers(std::string_view room) const {
  const Room* found = find(room);
  return found == nullptr ? 0 : found->members();
}

PresenceSnapshot Hub::presence(std::string_view room) const {
  const Room* found = find(room);
  if (found != nullptr) return found->presence();
  return {0, std::vector<base::FrameRef>{}, 0};
}

void Hub::on_subscribed(std::string_view room, const Position& top) {
  Room* found = find(room);
  if (found == nullptr || found->is_open()) return;
  found->open(top);
  for (const Room::Place& place : found->members_) {
    if (place.subscriber != nullptr) schedule(*place.member);
  }
}

void Hub::on_message(std::string_view room, Message&& message) {
  Room* found = find(room);
  if (found == nullptr || !found->is_open()) return;
  ++stats_.published;
  backlog_bytes_ += message.payload.size();
  if (!found->has_work()) active_.push_back(found);
  recollection_.keep(*found, found->accept(std::move(message)));
  recollection_.keep_within(limits_.history_bytes);
  parts_.scheduler.wake();
}

void Hub::on_published(Ticket ticket, const PublishOutcome& outcome) {
  const auto found = waiting_.find(ticket);
  if (found == waiting_.end()) return;
  Waiting waiting = std::move(found->second);
  waiting_.erase(found);
  const PublishResult result = outcome.ok() ? PublishResult(Receipt{*outcome, subscribers(waiting.room)})
                                            : PublishResult(outcome.error());
  completed_.emplace_back(std::move(waiting.done), result);
  parts_.scheduler.wake();
}

bool Hub::do_slice() {
  run_completions();
  advance_some();
  // Before the messages, so that somebody is known before being heard.
  if (!telling_.empty()) tell_next_presence();
  if (!active_.empty()) walk_next_room();
  return !active_.empty() || !telling_.empty() || !completed_.empty() || !arriving_.empty() ||
         !catching_up_.empty();
}

/// Has what there is to tell told at the end of the turn.
void Hub::tell_of_presence(Room& room) {
  if (room.telling_ || !room.has_presence_news()) return;
  room.telling_ = true;
  telling_.push_back(&room);
  parts_.scheduler.wake();
}

void Hub::tell_next_presence() {
  Room& room = *telling_.front();
  telling_.pop_front();
  room.telling_ = false;
  if (room.has_presence_news()) room.tell_presence(slice_members);
  tell_of_presence(room);
  recollection_.on_idle(room);
}

void Hub::walk_next_room() {
  Room& room = *active_.front();
  active_.pop_front();
  const Room::Progress progress = room.walk(slice_members);
  stats_.deliveries += progress.deliveries;
  backlog_bytes_ -= progress.released_bytes;
  if (room.has_work()) {
    active_.push_back(&room);
  } else {
    recollection_.on_idle(room);
  }
}

void Hub::run_completions() {
  // A completion may publish again: those are called next time.
  std::vector<std::pair<PublishDone, PublishResult>> completed;
  completed.swap(completed_);
  for (const auto& [done, result] : completed)
    done(result);
}

void Hub::schedule(Membership& member) {
  list_of(member).mark(member);
  parts_.scheduler.wake();
}

base::DirtyList& Hub::list_of(const Membership& member) {
  return member.is_arriving() ? arriving_ : catching_up_;
}

void Hub::advance_some() {
  pages_made_ = 0;
  for (std::size_t i = 0; i < slice_joins && arriving_.flush_next(); ++i) {
  }
  for (std::size_t i = 0; i < slice_joins && pages_made_ < slice_pages && catching_up_.flush_next(); ++i) {
  }
  if (!arriving_.empty() || !catching_up_.empty()) return;
  for (Room* room : with_page_)
    room->drop_page();
  with_page_.clear();
}

void Hub::advance(Membership& member) {
  Room& room = member.room_;
  // A room that is not open yet schedules its members when it is.
  if (!room.is_open() || !member.catch_up_) return;
  if (!tell(member) || room.go_live(member)) return;
  if (std::exchange(member.catch_up_->held, false)) return;
  if (pages_made_ == slice_pages) return schedule(member);
  replay(member);
}

/// Tells a member what it has to know before it gets more. False if that made it leave.
bool Hub::tell(Membership& member) {
  Room& room = member.room_;
  Membership::CatchUp& catch_up = *member.catch_up_;
  const bool is_new = !catch_up.joined;
  const bool is_overtaken = !room.can_continue_after(catch_up.after);
  if (is_overtaken && is_new) {
    // What it wanted has been dropped meanwhile. It knows of no place yet: it gets another.
    room.plan(member);
  } else if (is_overtaken) {
    const Position first = room.earliest();
    catch_up.plan = {first, Gap{first, first}};
    catch_up.after = first.offset;
  }
  if (!is_new && !is_overtaken) return true;
  if (catch_up.plan.gap) ++stats_.gaps;
  // A copy: the member may be gone before the call returns.
  const Joined plan = catch_up.plan;
  advancing_ = &member;
  if (is_new) {
    catch_up.joined = true;
    --room.arriving_;
    if (room.presence_) room.presence_->begin_watching(member);
    member.subscriber_.on_joined(member, plan);
  } else {
    member.subscriber_.on_gap(member, *plan.gap);
  }
  return std::exchange(advancing_, nullptr) != nullptr;
}

void Hub::replay(Membership& member) {
  Room& room = member.room_;
  const Room::Replay done = room.replay(member);
  stats_.replayed += done.messages;
  if (!done.made_page) return;
  ++pages_made_;
  note_page(room);
}

void Hub::note_page(Room& room) {
  if (std::find(with_page_.begin(), with_page_.end(), &room) != with_page_.end()) return;
  if (with_page_.size() == pages_max) {
    with_page_.front()->drop_page();
    with_page_.pop_front();
  }
  with_page_.push_back(&room);
}

void Hub::on_leaving(Membership& member) {
  list_of(member).forget(member);
  if (advancing_ == &member) advancing_ = nullptr;
}

void Hub::on_left(Room& room) {
  if (room.members() == 0) --occupied_rooms_;
  tell_of_presence(room);
  recollection_.touch(room);
}

void Hub::on_presence_due(Room& room) {
  tell_of_presence(room);
  recollection_.on_idle(room);
}

void Hub::on_forgotten(Room& room) {
  with_page_.erase(std::remove(with_page_.begin(), with_page_.end(), &room), with_page_.end());
  if (room.telling_) telling_.erase(std::find(telling_.begin(), telling_.end(), &room));
  if (last_found_ == &room) last_found_ = nullptr;
  parts_.engine.unsubscribe(room.name());
  rooms_.erase(rooms_.find(room.name()));
}

Room* Hub::look_up(std::string_view name) const {
  const auto found = rooms_.find(name);
  if (found == rooms_.end()) return nullptr;
  return last_found_ = found->second.get();
}

Room& Hub::find_or_create(std::string_view name) {
  if (Room* found = find(name)) return *found;
  const std::size_t cost = Recollection::room_cost(name);
  recollection_.keep_within(limits_.history_bytes - std::min(cost, limits_.history_bytes));
  auto made = std::make_unique<Room>(*this, parts_.deadlines, std::string(name), rules_.find(name));
  Room& room = *made;
  rooms_.emplace(room.name(), std::move(made));
  recollection_.add(room);
  parts_.engine.subscribe(name);
  return room;
}

}  // namespace roomcast::hub
