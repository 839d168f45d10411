// What the hub asks its engine for, and what comes of it: rooms that open later, pages of the past, logs that
// move on, answers that never come.
#include <algorithm>
#include <utility>

#include "hub/hub.h"

namespace roomcast::hub {

namespace {

// Pages under way at a time: each holds a page of memory when it comes.
constexpr std::size_t member_reads_max = 16;
constexpr std::size_t questions_max = 64;
constexpr std::size_t question_messages = 1'000;
constexpr std::size_t slice_ready = 256;
constexpr std::size_t requests_ended_per_call = 1'024;

constexpr Refusal not_open{Refusal::Code::unavailable, "the room is being opened: try again"};
constexpr Refusal opened_too_late{Refusal::Code::timed_out, "the room could not be opened in time"};
constexpr Refusal no_answer{Refusal::Code::timed_out,
                            "no answer in time: the message may have been published, repeat it with its key"};
constexpr Refusal read_too_late{Refusal::Code::timed_out, "the history was not read in time"};

}  // namespace

// --- Rooms that open ---

void Hub::subscribe_to(Room& room) {
  room.subscribed_ = true;
  parts_.engine.subscribe(room.name());
}

void Hub::on_subscribed(std::string_view room, const LogState& log) {
  Room* found = find(room);
  if (found == nullptr || !found->subscribed_ || found->log().is_known()) return;
  found->open(log);
  end_await(*found);
  schedule_all(*found);
}

void Hub::on_subscribe_refused(std::string_view room, const Refusal& refusal) {
  Room* found = find(room);
  if (found == nullptr || !found->subscribed_ || found->log().is_known()) return;
  found->subscribed_ = false;
  end_await(*found);
  refuse_joining(*found, refusal);
}

/// Bounds how long members wait for the room to be open.
void Hub::await_open(Room& room) {
  if (room.is_awaited_) return;
  room.is_awaited_ = true;
  room.await_until_ms_ = parts_.clock.monotonic_ms() + limits_.engine_ms;
  room.awaited_place_ = awaited_.insert(awaited_.end(), &room);
  watch_time();
}

void Hub::end_await(Room& room) {
  if (!std::exchange(room.is_awaited_, false)) return;
  awaited_.erase(room.awaited_place_);
}

/// Schedules all members that are not live.
void Hub::schedule_all(Room& room) {
  room.fan_out().for_each([this](Member& member) {
    if (!member.is_live()) schedule(member);
  });
}

void Hub::refuse_joining(Room& room, const Refusal& refusal) {
  room.fan_out().for_each([&](Member& member) {
    if (member.state() != Member::State::joining) return;
    member.refuse(refusal);
    schedule(member);
  });
}

void Hub::end_refused(Member& member) {
  const Refusal refusal = *member.refusal();
  member.room().end_refused(member);
  member.subscriber().on_refused(member.membership(), refusal);
}

// --- Messages, and logs that move on ---

void Hub::on_message(std::string_view room, Message&& message) {
  Room* found = find(room);
  if (found == nullptr || !found->log().is_known()) return;
  const RoomLog::Order order = found->log().order_of(message.position);
  if (order == RoomLog::Order::duplicate) {
    ++stats_.repeated;
    return;
  }
  if (order == RoomLog::Order::not_next) {
    // The engine should have said so: members are told, whatever it was.
    ++stats_.lost;
    const Position before{message.position.epoch, message.position.offset - 1};
    resume(*found, found->log().state_at(before));
  }
  ++stats_.published;
  if (!found->has_work()) active_.push_back(found);
  take_in(*found, std::move(message));
  parts_.scheduler.wake();
}

void Hub::take_in(Room& room, Message&& message) {
  const std::size_t before = room.backlog_bytes();
  const Message& accepted = room.accept(std::move(message));
  backlog_bytes_ += room.backlog_bytes() - before;
  // What comes behind a reset is kept once that has happened.
  if (room.log().is_reset_pending()) return;
  retention_.keep(room, accepted);
  retention_.keep_within(limits_.history_bytes);
}

void Hub::on_lost(std::string_view room) {
  Room* found = find(room);
  if (found == nullptr || !found->log().is_known()) return;
  ++stats_.lost;
  found->log().lose();
}

void Hub::on_resumed(std::string_view room, const LogState& log) {
  Room* found = find(room);
  if (found == nullptr || !found->log().is_known()) return;
  resume(*found, log);
}

void Hub::resume(Room& room, const LogState& log) {
  const bool had_work = room.has_work();
  const std::size_t before = room.backlog_bytes();
  room.resume(log);
  backlog_bytes_ += room.backlog_bytes() - before;
  if (!had_work && room.has_work()) active_.push_back(&room);
  parts_.scheduler.wake();
  if (!room.log().is_open()) return;
  end_await(room);
  schedule_all(room);
}

/// Everything is handed out that came before the log moved on.
void Hub::apply_reset(Room& room) {
  const std::size_t before = room.backlog_bytes();
  std::vector<Message> accepted = room.apply_reset();
  backlog_bytes_ -= before - room.backlog_bytes();
  retention_.forget_history(room);
  for (Message& message : accepted)
    take_in(room, std::move(message));
  if (room.past_) {
    room.past_->ticket = 0;
    release_awaiting(room);
  }
  if (room.log().is_open()) end_await(room);
  schedule_all(room);
  if (room.has_work()) {
    active_.push_back(&room);
  } else {
    retention_.on_idle(room);
  }
}

// --- Pages of the past ---

/// The next page for the member is not here: it gets it when the engine has read it.
void Hub::want_page(Member& member) {
  Room& room = member.room();
  member.await_page();
  if (!room.past_) room.past_ = std::make_unique<Room::PastReading>();
  Room::PastReading& past = *room.past_;
  past.awaiting_list().mark(member);
  // Those for whom the last page has come are served first, since the next one takes its place.
  const bool is_free = past.ticket == 0 && !past.is_queued && past.ready_list().empty();
  if (is_free) begin_read(room, member.after());
}

void Hub::begin_read(Room& room, std::uint64_t after) {
  Room::PastReading& past = *room.past_;
  if (member_reads_ == member_reads_max) {
    past.is_queued = true;
    wanting_rooms_.push_back(&room);
    return;
  }
  ++member_reads_;
  past.ticket = ++last_ticket_;
  past.after = after;
  const Ticket ticket = past.ticket;
  reads_.emplace(ticket, Read{room.name()});
  parts_.engine.read(room.name(), {room.log().top().epoch, after}, page_messages, limits_.page_bytes, ticket);
  watch_answer(ticket);
}

void Hub::on_page(Ticket ticket, ReadOutcome&& outcome) {
  const auto found = reads_.find(ticket);
  if (found == reads_.end()) return;
  Read read = std::move(found->second);
  reads_.erase(found);
  parts_.scheduler.wake();
  if (read.done) return answer_question(std::move(read), std::move(outcome));
  --member_reads_;
  begin_next_read();
  Room* room = find(read.room);
  if (room == nullptr || !room->past_ || room->past_->ticket != ticket) return;
  Room::PastReading& past = *room->past_;
  past.ticket = 0;
  if (outcome) {
    room->log().take_page_read(past.after, std::move(*outcome), room->fan_out().handed_offset());
    note_page(*room);
  } else {
    past.refusal = outcome.error();
  }
  release_awaiting(*room);
}

/// A room that had to wait for a free place asks for its page: the first of its members that still wants one
/// does so when it is looked at.
void Hub::begin_next_read() {
  if (wanting_rooms_.empty()) return;
  Room& room = *wanting_rooms_.front();
  wanting_rooms_.pop_front();
  room.past_->is_queued = false;
  release_awaiting(room);
}

/// Has those who wait for a page looked at again.
void Hub::release_awaiting(Room& room) {
  Room::PastReading& past = *room.past_;
  if (!past.ready_list().empty()) return;  // they come when those have been served
  past.awaiting = 1 - past.awaiting;
  if (std::find(ready_rooms_.begin(), ready_rooms_.end(), &room) == ready_rooms_.end())
    ready_rooms_.push_back(&room);
  parts_.scheduler.wake();
}

void Hub::advance_ready() {
  for (std::size_t i = 0; i < slice_ready && may_make_page() && !ready_rooms_.empty(); ++i) {
    Room& room = *ready_rooms_.front();
    if (room.past_->flush_next_ready()) continue;
    ready_rooms_.pop_front();
    end_ready(room);
  }
}

/// All are served for whom the last page came.
void Hub::end_ready(Room& room) {
  Room::PastReading& past = *room.past_;
  past.refusal.reset();
  if (past.ticket != 0 || past.is_queued) return;
  if (past.awaiting_list().empty()) {
    room.past_.reset();
  } else {
    release_awaiting(room);
  }
}

void Hub::read_history(std::string_view room, const std::optional<Position>& since,
                       const std::optional<std::size_t>& limit, HistoryDone done) {
  if (!has_space_for(room)) return done(no_space_for_room);
  Room& found = find_or_create(room);
  if (!found.log().is_open()) return done(not_open);
  HistoryPage page = found.log().read(since, limit, limits_.page_bytes);
  retention_.keep_within(limits_.history_bytes);
  if (found.log().is_retained_after(page.cursor)) return done(std::move(page));
  if (reads_.size() - member_reads_ >= questions_max) {
    return done(Refusal{Refusal::Code::overloaded, "too much history is being read"});
  }
  const Ticket ticket = ++last_ticket_;
  const std::size_t messages_max = std::min(limit.value_or(question_messages), question_messages);
  const Position after = page.cursor;
  reads_.emplace(ticket, Read{found.name(), std::move(page), messages_max, std::move(done)});
  parts_.engine.read(found.name(), after, messages_max, limits_.page_bytes, ticket);
  watch_answer(ticket);
}

void Hub::answer_question(Read&& read, ReadOutcome&& outcome) {
  if (!outcome) return read.done(outcome.error());
  const Room* room = find(read.room);
  if (room == nullptr || !room->log().is_open()) return read.done(not_open);
  room->log().complete(read.page, std::move(*outcome), read.messages_max);
  read.done(std::move(read.page));
}

// --- Answers that never come ---

/// What the engine has just been asked for ends by itself if no answer comes.
void Hub::watch_answer(Ticket ticket) {
  const auto is_open = [this](Ticket one) { return waiting_.count(one) != 0 || reads_.count(one) != 0; };
  if (!is_open(ticket)) return;
  while (!unanswered_.empty() && !is_open(unanswered_.front().second))
    unanswered_.pop_front();
  unanswered_.emplace_back(parts_.clock.monotonic_ms() + limits_.engine_ms, ticket);
  watch_time();
}

void Hub::end_overdue_requests(std::int64_t now_ms) {
  for (std::size_t i = 0; i < requests_ended_per_call && !unanswered_.empty(); ++i) {
    const auto [until_ms, ticket] = unanswered_.front();
    if (until_ms > now_ms) break;
    unanswered_.pop_front();
    // Nothing happens if they have been answered.
    on_published(ticket, no_answer);
    on_page(ticket, read_too_late);
  }
  while (!awaited_.empty() && awaited_.front()->await_until_ms_ <= now_ms) {
    Room& room = *awaited_.front();
    end_await(room);
    if (!room.log().is_known()) {
      room.subscribed_ = false;
      parts_.engine.unsubscribe(room.name());
    }
    refuse_joining(room, opened_too_late);
  }
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

}  // namespace roomcast::hub
