#include "engine/memory.h"

#include <cassert>
#include <utility>

#include "base/digest.h"

namespace roomcast::engine {

const hub::Position& Memory::begin(std::string_view room) {
  const auto& [log, is_new] = logs_.try_emplace(std::string(room), hub::Position{});
  // 0 would mean that there is no log.
  if (is_new) log.second.epoch = base::random_u64() | 1U;
  return log.second;
}

void Memory::subscribe(std::string_view room, hub::Source /*source*/) {
  events_->on_subscribed(room, hub::LogState(begin(room)));
}

void Memory::unsubscribe(std::string_view room) {
  const Logs::Entry* const found = logs_.find(room);
  if (found == nullptr) return;
  if (last_used_ == found) last_used_ = nullptr;
  logs_.erase(*found);
}

void Memory::publish(std::string_view room, hub::Draft&& draft, hub::Ticket ticket) {
  hub::Position& top = log_of(room).second;
  ++top.offset;
  // A copy: the calls may unsubscribe the room.
  const hub::Position position = top;
  events_->on_message(room, {draft.kind, std::move(draft.payload), std::move(draft.author), draft.sender,
                             position, clock_.wall_ms(), draft.source, std::move(draft.labels)});
  if (ticket != 0) events_->on_published(ticket, hub::Published{position});
}

void Memory::remove(std::string_view room, const hub::Position& position, hub::Ticket ticket) {
  amend(room, hub::Amendment::remove(position), ticket);
}

void Memory::replace(std::string_view room, const hub::Position& position, hub::Draft&& draft,
                     hub::Ticket ticket) {
  hub::Message message(draft.kind, std::move(draft.payload), std::move(draft.author), 0, position,
                       clock_.wall_ms(), draft.source, std::move(draft.labels));
  amend(room, hub::Amendment::replace(std::move(message)), ticket);
}

void Memory::amend(std::string_view room, hub::Amendment&& amendment, hub::Ticket ticket) {
  const hub::Position position = amendment.message.position;
  const hub::Position& top = log_of(room).second;
  if (position.epoch != top.epoch || position.offset == 0 || position.offset > top.offset) {
    if (ticket != 0) events_->on_published(ticket, hub::no_such_message(position));
    return;
  }
  events_->on_amended(room, std::move(amendment));
  if (ticket != 0) events_->on_published(ticket, hub::Published{position});
}

void Memory::clear(std::string_view room, hub::Ticket ticket) {
  const hub::Position top = log_of(room).second;
  events_->on_amended(room, hub::Amendment::clear(top));
  if (ticket != 0) events_->on_published(ticket, hub::Published{top});
}

void Memory::read(std::string_view /*room*/, const hub::Position& /*after*/, std::size_t /*messages_max*/,
                  std::size_t /*bytes_max*/, hub::Ticket ticket) {
  events_->on_page(ticket, hub::LogPage{});
}

void Memory::read_back(std::string_view /*room*/, const hub::Position& before, std::size_t /*messages*/,
                       std::size_t /*messages_max*/, std::size_t /*bytes_max*/, hub::Ticket ticket) {
  hub::LogPage page;
  page.after = before.offset;
  events_->on_page(ticket, std::move(page));
}

/// Of a room that is subscribed. Publishers send in runs: the one of the last time is looked at first.
Memory::Logs::Entry& Memory::log_of(std::string_view room) {
  if (last_used_ == nullptr || last_used_->first != room) {
    last_used_ = logs_.find(room);
    assert(last_used_ != nullptr);
  }
  return *last_used_;
}

}  // namespace roomcast::engine
