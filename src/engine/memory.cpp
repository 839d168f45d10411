#include "engine/memory.h"

#include "base/digest.h"

namespace roomcast::engine {

void Memory::subscribe(std::string_view room) {
  logs_.try_emplace(std::string(room), hub::Position{base::random_u64(), 0});
}

void Memory::unsubscribe(std::string_view room) {
  const auto found = logs_.find(room);
  if (found != logs_.end()) logs_.erase(found);
}

void Memory::publish(std::string_view room, const hub::Draft& draft, hub::Ticket ticket) {
  const auto log = logs_.find(room);
  if (log == logs_.end()) {
    // Nobody is there and nothing is kept: the message is first and last of a log that ends with it.
    if (ticket != 0) events_->on_published(ticket, hub::Position{base::random_u64(), 1});
    return;
  }
  ++log->second.offset;
  events_->on_message(room,
                      {draft.kind, draft.payload, draft.from, draft.sender, log->second, clock_.wall_ms()});
  if (ticket != 0) events_->on_published(ticket, log->second);
}

}  // namespace roomcast::engine
