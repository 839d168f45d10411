#include "hub/hub.h"

#include <algorithm>

namespace roomcast::hub {

namespace {

// Members per slice: with a delivery at tens of nanoseconds and a flush at a few microseconds a slice stays
// near a millisecond.
constexpr std::size_t slice_members = 256;
constexpr std::size_t slice_joins = 256;

}  // namespace

Hub::Hub(const HubParts& parts, const HubLimits& limits, RoomRules rules)
    : parts_(parts), limits_(limits), rules_(std::move(rules)) {
  parts_.engine.start(*this);
}

std::unique_ptr<Membership> Hub::subscribe(std::string_view room, Subscriber& subscriber,
                                           const Interest& interest) {
  Room& joined = find_or_create(room);
  auto membership = std::make_unique<Membership>(*this, joined, subscriber, interest);
  touch(joined);
  keep_within_limits();
  return membership;
}

void Hub::publish(std::string_view room, const Draft& draft, PublishDone done) {
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
  parts_.engine.publish(room, draft, ticket);
}

std::optional<HistoryPage> Hub::read_history(std::string_view room, const std::optional<Position>& since,
                                             const std::optional<std::size_t>& limit) {
  const Room& found = find_or_create(room);
  if (!found.is_open()) return std::nullopt;
  HistoryPage page = found.read(since, limit);
  keep_within_limits();
  return page;
}

void Hub::set_limits(const HubLimits& limits) {
  limits_ = limits;
  keep_within_limits();
}

std::size_t Hub::subscribers(std::string_view room) const {
  const Room* found = find(room);
  return found == nullptr ? 0 : found->members();
}

void Hub::on_subscribed(std::string_view room, const Position& top) {
  Room* found = find(room);
  if (found == nullptr) return;
  found->open(top);
  for (Membership* member : found->members_) {
    if (member != nullptr) schedule(*member);
  }
}

void Hub::on_message(std::string_view room, const Message& message) {
  Room* found = find(room);
  if (found == nullptr) return;
  ++stats_.published;
  backlog_bytes_ += message.payload.size();
  if (!found->has_work()) active_.push_back(found);
  const std::size_t before = found->history().bytes();
  found->accept(message, parts_.clock.monotonic_ms());
  history_bytes_ += found->history().bytes() - before;
  touch(*found);
  keep_within_limits();
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
  if (!active_.empty()) walk_next_room();
  return !active_.empty() || !completed_.empty() || !catching_up_.empty();
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
    put_on_shelf(room);
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
  if (!member.catch_up_) return;
  catching_up_.mark(member);
  parts_.scheduler.wake();
}

void Hub::advance_some() {
  for (std::size_t i = 0; i < slice_joins && catching_up_.flush_next(); ++i) {
  }
  if (!catching_up_.empty()) return;
  for (Room* room : replaying_)
    room->end_replays();
  replaying_.clear();
}

void Hub::advance(Membership& member) {
  Room& room = member.room_;
  if (!room.is_open()) return;  // on_subscribed schedules it again
  Membership::CatchUp& catch_up = *member.catch_up_;
  const bool is_overtaken = !room.can_continue_after(catch_up.after);
  if (is_overtaken) {
    const Position first = room.earliest();
    catch_up.plan = {first, Gap{first, first}};
    catch_up.after = first.offset;
  }
  const bool is_new = !std::exchange(catch_up.joined, true);
  if (is_overtaken || (is_new && catch_up.plan.gap)) ++stats_.gaps;
  advancing_ = &member;
  if (is_new) {
    member.subscriber_.on_joined(member, Joined(catch_up.plan));
  } else if (is_overtaken) {
    member.subscriber_.on_gap(member, Gap(*catch_up.plan.gap));
  }
  const bool has_left = advancing_ == nullptr;
  advancing_ = nullptr;
  if (has_left) return;
  // Who lacks nothing need not wait to be live.
  if (std::exchange(catch_up.held, false) && catch_up.after < room.walked_offset_) return;
  if (std::find(replaying_.begin(), replaying_.end(), &room) == replaying_.end()) replaying_.push_back(&room);
  stats_.replayed += room.replay(member);
}

void Hub::on_leaving(Membership& member) {
  catching_up_.forget(member);
  if (advancing_ == &member) advancing_ = nullptr;
}

void Hub::on_left(Room& room) { touch(room); }

Room* Hub::find(std::string_view name) const {
  const auto found = rooms_.find(name);
  return found == rooms_.end() ? nullptr : found->second.get();
}

Room& Hub::find_or_create(std::string_view name) {
  if (Room* found = find(name)) return *found;
  auto made = std::make_unique<Room>(*this, parts_.deadlines, std::string(name), rules_.find(name));
  Room& room = *made;
  rooms_.emplace(room.name(), std::move(made));
  history_bytes_ += remembering_cost(room);
  touch(room);
  parts_.engine.subscribe(name);
  return room;
}

}  // namespace roomcast::hub
