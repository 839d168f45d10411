#include "engine/memory.h"

#include <cassert>

#include "base/digest.h"

namespace roomcast::engine {

void Memory::subscribe(std::string_view room) {
  const auto [log, is_new] = logs_.try_emplace(std::string(room), hub::Position{});
  // 0 would mean that there is no log.
  if (is_new) log->second.epoch = base::random_u64() | 1U;
  events_->on_subscribed(room, log->second);
}

void Memory::unsubscribe(std::string_view room) {
  const auto found = logs_.find(room);
  if (found != logs_.end()) logs_.erase(found);
}

void Memory::publish(std::string_view room, const hub::Draft& draft, hub::Ticket ticket) {
  const auto log = logs_.find(room);
  assert(log != logs_.end());
  ++log->second.offset;
  events_->on_message(room,
                      {draft.kind, draft.payload, draft.from, draft.sender, log->second, clock_.wall_ms()});
  if (ticket != 0) events_->on_published(ticket, log->second);
}

}  // namespace roomcast::engine
