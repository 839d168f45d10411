// Amendments: messages that are removed or replaced, and rooms that are cleared.
#include <utility>

#include "hub/hub.h"

namespace roomcast::hub {

namespace {

constexpr Refusal room_not_open{Refusal::Code::unavailable, "the room is being opened: try again"};
constexpr Refusal too_many_amendments{Refusal::Code::overloaded,
                                      "too many changes of the room's messages wait to be delivered"};
constexpr Refusal unknown_room{Refusal::Code::not_found, "the room has no messages"};

}  // namespace

void Hub::remove(std::string_view room, const Position& position, PublishDone done) {
  ask_to_amend(room, position, std::move(done),
               [&](Ticket ticket) { parts_.engine.remove(room, position, ticket); });
}

void Hub::replace(std::string_view room, const Position& position, Draft draft, PublishDone done) {
  ask_to_amend(room, position, std::move(done),
               [&](Ticket ticket) { parts_.engine.replace(room, position, std::move(draft), ticket); });
}

void Hub::clear(std::string_view room, PublishDone done) {
  ask_to_amend(room, std::nullopt, std::move(done),
               [&](Ticket ticket) { parts_.engine.clear(room, ticket); });
}

template <class Make>
void Hub::ask_to_amend(std::string_view room, const std::optional<Position>& position, PublishDone done,
                       const Make& make) {
  if (const auto refusal = prepare_amendment(room, position)) return complete(std::move(done), *refusal);
  const Ticket ticket =
      done ? requests_.add(EngineRequests::Publish{std::string(room), std::move(done)}) : Ticket{0};
  make(ticket);
  requests_.watch(ticket, limits_.engine_ms);
}

std::optional<Refusal> Hub::prepare_amendment(std::string_view name,
                                              const std::optional<Position>& position) {
  const Room* room = find(name);
  if (room == nullptr || !room->record().is_subscribed) {
    if (parts_.engine.publishes_unsubscribed()) return std::nullopt;
    if (!parts_.engine.keeps_rooms()) return position ? no_such_message(*position) : unknown_room;
    if (!has_space_for(name)) return no_space_for_room;
    room = &find_or_create(name, 0);
  }
  const RoomLog& log = room->log();
  if (!log.is_known()) return parts_.engine.keeps_rooms() ? std::nullopt : std::optional(room_not_open);
  if (room->fan_out().amendment_bytes() > limits_.room_backlog_bytes) return too_many_amendments;
  if (!position || !log.has(*position)) return std::nullopt;
  const Message* const known = log.history().find(position->offset);
  if (known != nullptr && known->is_removed) return no_such_message(*position);
  return std::nullopt;
}

void Hub::on_amended(std::string_view name, Amendment&& amendment) {
  Room* const room = find(name);
  if (room == nullptr || !room->log().is_known()) return;
  if (room->log().has(amendment.message.position)) {
    const Message* const known = room->log().history().find(amendment.message.position.offset);
    if (known != nullptr) amendment.message.time_ms = known->time_ms;
    retention_.amend(room->retained(), amendment);
  }
  const bool had_work = room->has_work();
  const std::size_t before = room->backlog_bytes();
  room->amend(std::move(amendment));
  backlog_bytes_ += room->backlog_bytes() - before;
  if (!had_work && room->has_work()) active_.push_back(room);
  on_use_changed(*room);
  retention_.keep_within(limits_.history_bytes);
  parts_.scheduler.wake();
}

}  // namespace roomcast::hub
