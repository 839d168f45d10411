#include "hub/delayed_publishes.h"

#include <utility>

namespace roomcast::hub {

void DelayedPublishes::Queue::push(base::SlotId id) {
  if (!ids_) ids_ = std::make_unique<std::deque<base::SlotId>>();
  ids_->push_back(id);
}

base::SlotId DelayedPublishes::Queue::pop() {
  const base::SlotId id = ids_->front();
  ids_->pop_front();
  if (ids_->empty()) ids_.reset();
  return id;
}

std::size_t DelayedPublishes::cost_of(const Draft& draft) {
  constexpr std::size_t overhead = 512;
  return overhead + draft.payload.size() + draft.labels.held_bytes() + draft.key.held_bytes();
}

void DelayedPublishes::add(Queue& queue, Draft&& draft, PublishDone&& done, std::int64_t until_ms) {
  bytes_ += cost_of(draft);
  const base::SlotId id = publishes_.insert({{&queue, std::move(draft), std::move(done)}, until_ms});
  queue.push(id);
  order_.push_back(id);
}

void DelayedPublishes::give_turn(Queue& queue) {
  if (queue.has_publishes() && !queue.has_turn()) turns_.push_back(queue);
}

DelayedPublishes::Queue& DelayedPublishes::take_turn() {
  Queue& first = *turns_.front();
  first.unlink();
  return first;
}

std::optional<DelayedPublishes::Publish> DelayedPublishes::take_first(Queue& queue) {
  if (!queue.has_publishes()) return std::nullopt;
  Publish first = publishes_.take(queue.pop()).publish;
  bytes_ -= cost_of(first.draft);
  return first;
}

std::optional<DelayedPublishes::Publish> DelayedPublishes::take_overdue(std::int64_t now_ms) {
  while (!order_.empty()) {
    const Waiting* const first = publishes_.find(order_.front());
    if (first != nullptr && first->until_ms > now_ms) break;
    order_.pop_front();
    // It is the oldest of its room too.
    if (first != nullptr) return take_first(*first->publish.queue);
  }
  return std::nullopt;
}

}  // namespace roomcast::hub
