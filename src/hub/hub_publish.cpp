// Publishes: into the engine, or waiting for the backlog to become shorter; and what they come to.
#include <algorithm>
#include <utility>

#include "hub/hub.h"

namespace roomcast::hub {

namespace {

constexpr std::size_t slice_delayed = 64;
constexpr std::size_t slice_completions = 64;
constexpr std::size_t overdue_per_call = 1'024;

}  // namespace

void Hub::publish(std::string_view name, Draft draft, PublishDone done, WhenShort when_short) {
  if (overloaded_ && when_short == WhenShort::refuse) {
    return refuse(std::move(done), {Refusal::Code::overloaded, "memory is short (limits.memory_bytes)"});
  }
  Room* room = find(name);
  if (room == nullptr || !room->record().is_subscribed) {
    const bool must_open = !parts_.engine.publishes_unsubscribed() || (room == nullptr && would_wait(name));
    if (must_open && !has_space_for(name)) return refuse(std::move(done), no_space_for_room);
    if (must_open) room = &find_or_create(name, draft.source);
  } else {
    open_for(*room, draft.source);
  }
  if (room != nullptr && would_wait(*room)) return delay(*room, std::move(draft), std::move(done));
  hand_over(name, std::move(draft), std::move(done));
}

bool Hub::would_wait(std::string_view room) const {
  if (overloaded_ || congested()) return true;
  const Room* found = find(room);
  return found != nullptr && would_wait(*found);
}

void Hub::hand_over(std::string_view room, Draft draft, PublishDone done) {
  if (!done) return parts_.engine.publish(room, std::move(draft), 0);
  const Ticket ticket = requests_.add(EngineRequests::Publish{std::string(room), std::move(done)});
  parts_.engine.publish(room, std::move(draft), ticket);
  requests_.watch(ticket, limits_.engine_ms);
}

void Hub::on_published(Ticket ticket, const PublishOutcome& outcome) {
  std::optional<EngineRequests::Publish> publish = requests_.take_publish(ticket);
  if (!publish) return;
  complete(std::move(publish->done),
           outcome.ok() ? PublishResult(Receipt{outcome->position, subscribers(publish->room),
                                                outcome->is_duplicate, outcome->is_durable, outcome->nodes})
                        : PublishResult(outcome.error()));
}

void Hub::refuse(PublishDone done, const Refusal& refusal) {
  ++stats_.refused;
  complete(std::move(done), refusal);
}

void Hub::complete(PublishDone done, const PublishResult& result) {
  if (!done) return;
  completed_.emplace_back(std::move(done), result);
  parts_.scheduler.wake();
}

void Hub::run_completions() {
  // A completion may publish again: those are called next time.
  for (std::size_t left = std::min(completed_.size(), slice_completions); left > 0; --left) {
    const auto [done, result] = std::move(completed_.front());
    completed_.pop_front();
    done(result);
  }
}

// --- Publishes that wait ---

void Hub::delay(Room& room, Draft draft, PublishDone done) {
  if (delayed_.bytes() + DelayedPublishes::cost_of(draft) > limits_.delayed_bytes) {
    return refuse(std::move(done), {Refusal::Code::overloaded, "too many messages wait to be published"});
  }
  delayed_.add(room.record().delayed, std::move(draft), std::move(done),
               parts_.clock.monotonic_ms() + limits_.delayed_ms);
  give_turn(room);
  watch_time();
}

/// Lets the room's delayed publishes go on when it is their turn, if the room can take them.
void Hub::give_turn(Room& room) {
  DelayedPublishes::Queue& queue = room.record().delayed;
  if (!queue.has_publishes() || room.backlog_bytes() > limits_.room_backlog_bytes) return;
  delayed_.give_turn(queue);
  parts_.scheduler.wake();
}

void Hub::publish_delayed() {
  for (std::size_t i = 0; i < slice_delayed && can_publish_delayed(); ++i) {
    DelayedPublishes::Queue& queue = delayed_.take_turn();
    Room& room = queue.room();
    if (std::optional<DelayedPublishes::Publish> publish = delayed_.take_first(queue)) {
      hand_over(room.name(), std::move(publish->draft), std::move(publish->done));
      give_turn(room);
    }
    on_use_changed(room);
  }
}

void Hub::refuse_overdue(std::int64_t now_ms) {
  for (std::size_t i = 0; i < overdue_per_call; ++i) {
    std::optional<DelayedPublishes::Publish> overdue = delayed_.take_overdue(now_ms);
    if (!overdue) return;
    refuse(std::move(overdue->done),
           {Refusal::Code::overloaded, "the message waited too long for others to be delivered"});
    if (!overdue->queue->has_publishes()) on_use_changed(overdue->queue->room());
  }
}

}  // namespace roomcast::hub
