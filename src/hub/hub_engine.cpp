// The engine's logs: rooms that open, messages, resets, and history that only the engine has.
#include <algorithm>
#include <utility>

#include "hub/hub.h"

namespace roomcast::hub {

namespace {

constexpr std::size_t history_reads_max = 64;
constexpr std::size_t history_messages_max = 1'000;

constexpr Refusal not_open{Refusal::Code::unavailable, "the room is being opened: try again"};
constexpr Refusal too_much_read{Refusal::Code::overloaded, "too much history is being read"};
constexpr Refusal no_answer{Refusal::Code::timed_out,
                            "no answer in time: the message may have been published, repeat it with its key"};
constexpr Refusal read_too_late{Refusal::Code::timed_out, "the history was not read in time"};

}  // namespace

// --- Rooms that open ---

void Hub::subscribe_to(Room& room, Source source) {
  room.record().is_subscribed = true;
  room.record().opened_for = source;
  parts_.engine.subscribe(room.name(), source);
}

void Hub::open_for(Room& room, Source source) {
  const Room::HubRecord& record = room.record();
  if (record.is_subscribed && (room.log().is_known() || record.opened_for == source)) return;
  subscribe_to(room, source);
}

void Hub::on_subscribed(std::string_view room, const LogState& log) {
  Room* found = find(room);
  if (found == nullptr || !found->record().is_subscribed || found->log().is_known()) return;
  found->open(log);
  catch_up_.schedule_all(*found);
  end_opening(*found);
}

void Hub::on_subscribe_refused(std::string_view room, const Refusal& refusal) {
  Room* found = find(room);
  if (found == nullptr || !found->record().is_subscribed || found->log().is_known()) return;
  found->record().is_subscribed = false;
  to_open_.remove(*found);
  catch_up_.refuse_joining(*found, refusal);
  refuse_questions(*found, refusal);
}

/// Bounds how long members wait for the room to be open.
void Hub::await_open(Room& room) {
  if (to_open_.has(room)) return;
  to_open_.add(room, parts_.clock.monotonic_ms() + limits_.engine_ms);
  watch_time();
}

/// A position that the log does not have here may be one that only has not come here yet: a client has been
/// to another server. Nobody joins until the engine has looked.
void Hub::confirm(Room& room, const Position& position) {
  RoomLog& log = room.log();
  if (!parts_.engine.may_lag() || !log.is_open() || log.has(position)) return;
  log.lose();
  parts_.engine.confirm(room.name());
}

// --- Messages and resets ---

void Hub::on_message(std::string_view room, Message&& message) {
  Room* found = find(room);
  if (found == nullptr || !found->log().is_known()) return;
  const RoomLog::Order order = found->log().order_of(message.position);
  if (order == RoomLog::Order::duplicate) {
    ++stats_.repeated;
    return;
  }
  if (order == RoomLog::Order::not_next) {
    // The engine should have said so: members get what was missed, or a gap, all the same.
    ++stats_.lost;
    const Position before{message.position.epoch, message.position.offset - 1};
    resume(*found, found->log().state_at(before));
  }
  ++stats_.published;
  if (!found->has_work()) active_.push_back(found);
  accept(*found, std::move(message));
  parts_.scheduler.wake();
}

void Hub::accept(Room& room, Message&& message) {
  const std::size_t before = room.backlog_bytes();
  const Message& accepted = room.accept(std::move(message));
  backlog_bytes_ += room.backlog_bytes() - before;
  // What comes after a reset is retained once that has been applied.
  if (room.log().is_reset_pending()) return;
  retention_.keep(room.retained(), accepted);
  retention_.keep_within(limits_.history_bytes);
}

void Hub::on_lost(std::string_view room) {
  Room* found = find(room);
  if (found == nullptr || !found->log().is_known()) return;
  ++stats_.lost;
  found->log().lose();
}

void Hub::on_presence(std::string_view room, std::uint64_t node, const NodeChange& change) {
  if (Room* const found = find(room)) presence_.on_remote(*found, node, change);
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
  catch_up_.schedule_all(room);
  end_opening(room);
}

/// Applies a room's pending reset: everything that came before it is delivered.
void Hub::apply_reset(Room& room) {
  const std::size_t before = room.backlog_bytes();
  std::vector<Message> accepted = room.apply_reset();
  backlog_bytes_ -= before - room.backlog_bytes();
  retention_.clear_history(room.retained());
  for (Message& message : accepted)
    accept(room, std::move(message));
  catch_up_.on_reset(room);
  catch_up_.schedule_all(room);
  if (room.has_work()) {
    active_.push_back(&room);
  } else {
    on_use_changed(room);
  }
  if (room.log().is_open()) end_opening(room);
}

// --- Reading history ---

void Hub::read_history(std::string_view room, const std::optional<Position>& since,
                       const std::optional<std::size_t>& limit, HistoryDone done, Source source) {
  if (!has_space_for(room)) return done(no_space_for_room);
  Room& found = find_or_create(room, source);
  if (since) confirm(found, *since);
  answer_history(room, {since, limit, std::move(done)}, source);
}

void Hub::answer_history(std::string_view room, Room::HistoryQuestion&& question, Source source) {
  Room& found = find_or_create(room, source);
  if (!found.log().is_open()) return await_history(found, std::move(question));
  const std::optional<Position>& since = question.since;
  const std::optional<std::size_t>& limit = question.limit;
  HistoryDone done = std::move(question.done);
  HistoryPage page = found.log().read(since, limit, limits_.page_bytes);
  retention_.keep_within(limits_.history_bytes);
  std::optional<LookBack> back;
  if (!since && limit) back = found.log().look_back_for({std::nullopt, limit}, page.cursor.offset);
  if (!back && found.log().is_retained_after(page.cursor)) return done(std::move(page));
  if (requests_.history_reads() >= history_reads_max) return done(too_much_read);
  const std::size_t messages_max = std::min(limit.value_or(history_messages_max), history_messages_max);
  const Position after = page.cursor;
  const Ticket ticket = requests_.add(
      EngineRequests::Read{found.name(), std::move(page), messages_max, std::move(done), back.has_value()});
  if (back) {
    parts_.engine.read_back(found.name(), {after.epoch, back->before}, back->messages, messages_max,
                            limits_.page_bytes, ticket);
  } else {
    parts_.engine.read(found.name(), after, messages_max, limits_.page_bytes, ticket);
  }
  requests_.watch(ticket, limits_.engine_ms);
}

void Hub::open_for_presence(std::string_view room, HistoryDone done, Source source) {
  if (knows_presence(room)) return done(HistoryPage{});
  if (!has_space_for(room)) return done(no_space_for_room);
  Room& found = find_or_create(room, source);
  if (found.log().is_open()) return done(HistoryPage{});
  await_history(found, {std::nullopt, std::nullopt, std::move(done), true});
}

/// Asks again once the room is open. Too many and too long waits are refused.
void Hub::await_history(Room& room, Room::HistoryQuestion&& question) {
  if (questions_ + requests_.history_reads() >= history_reads_max) return question.done(too_much_read);
  ++questions_;
  room.record().questions.push_back(std::move(question));
  await_open(room);
  on_use_changed(room);
}

std::vector<Room::HistoryQuestion> Hub::take_questions(Room& room) {
  std::vector<Room::HistoryQuestion> questions = std::exchange(room.record().questions, {});
  questions_ -= questions.size();
  if (!questions.empty()) on_use_changed(room);
  return questions;
}

void Hub::refuse_questions(Room& room, const Refusal& refusal) {
  for (Room::HistoryQuestion& question : take_questions(room))
    question.done(refusal);
}

/// The room is open, or it can't be for now. Answering may forget the room.
void Hub::end_opening(Room& room) {
  to_open_.remove(room);
  if (room.record().questions.empty()) return;
  const std::string name = room.name();
  for (Room::HistoryQuestion& question : take_questions(room)) {
    if (question.only_opens) {
      question.done(HistoryPage{});
    } else {
      answer_history(name, std::move(question), 0);
    }
  }
}

void Hub::on_page(Ticket ticket, ReadOutcome&& outcome) {
  std::optional<EngineRequests::Read> read = requests_.take_read(ticket);
  if (!read) return;
  if (read->done) return complete_history(std::move(*read), std::move(outcome));
  catch_up_.on_page(find(read->room), ticket, std::move(outcome));
}

void Hub::complete_history(EngineRequests::Read&& read, ReadOutcome&& outcome) {
  if (!outcome) return read.done(outcome.error());
  const Room* room = find(read.room);
  if (room == nullptr || !room->log().is_open()) return read.done(not_open);
  if (read.is_back) read.page.cursor.offset = outcome->after;
  room->log().complete(read.page, std::move(*outcome), read.messages_max, limits_.page_bytes);
  read.done(std::move(read.page));
}

void Hub::on_overdue(Ticket ticket) {
  // Nothing happens if it has been answered.
  on_published(ticket, no_answer);
  on_page(ticket, read_too_late);
}

}  // namespace roomcast::hub
