#include "hub/hub.h"

namespace roomcast::hub {

namespace {

// Members per slice: with a delivery at tens of nanoseconds and a flush at a few microseconds a slice stays
// near a millisecond.
constexpr std::size_t slice_members = 256;

}  // namespace

std::unique_ptr<Membership> Hub::subscribe(std::string_view room, Subscriber& subscriber) {
  Room* found = find(room);
  if (found == nullptr) {
    auto made = std::make_unique<Room>(std::string(room));
    found = made.get();
    rooms_.emplace(found->name(), std::move(made));
    engine_.subscribe(room);
  }
  return std::make_unique<Membership>(*this, *found, subscriber);
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
  engine_.publish(room, draft, ticket);
}

std::size_t Hub::subscribers(std::string_view room) const {
  const Room* found = find(room);
  return found == nullptr ? 0 : found->members();
}

void Hub::on_message(std::string_view room, const Message& message) {
  Room* found = find(room);
  if (found == nullptr) return;
  ++stats_.published;
  backlog_bytes_ += message.payload.size();
  if (!found->has_work()) active_.push_back(found);
  found->accept(message);
  scheduler_.wake();
}

void Hub::on_published(Ticket ticket, const PublishOutcome& outcome) {
  const auto found = waiting_.find(ticket);
  if (found == waiting_.end()) return;
  Waiting waiting = std::move(found->second);
  waiting_.erase(found);
  const PublishResult result = outcome.ok() ? PublishResult(Receipt{*outcome, subscribers(waiting.room)})
                                            : PublishResult(outcome.error());
  completed_.emplace_back(std::move(waiting.done), result);
  scheduler_.wake();
}

bool Hub::do_slice() {
  run_completions();
  if (!active_.empty()) walk_next_room();
  return !active_.empty() || !completed_.empty();
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
    remove_if_unused(room);
  }
}

void Hub::run_completions() {
  // A completion may publish again: those are called next time.
  std::vector<std::pair<PublishDone, PublishResult>> completed;
  completed.swap(completed_);
  for (const auto& [done, result] : completed)
    done(result);
}

Room* Hub::find(std::string_view name) const {
  const auto found = rooms_.find(name);
  return found == rooms_.end() ? nullptr : found->second.get();
}

void Hub::on_left(Room& room) { remove_if_unused(room); }

void Hub::remove_if_unused(Room& room) {
  if (room.members() != 0 || room.has_work()) return;
  engine_.unsubscribe(room.name());
  rooms_.erase(room.name());
}

}  // namespace roomcast::hub
