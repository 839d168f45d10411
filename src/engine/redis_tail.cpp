#include "engine/redis_tail.h"

#include <iterator>

namespace roomcast::engine {

namespace {

constexpr std::size_t aged_per_call = 256;

}  // namespace

bool RedisTails::Tail::goes_past(const hub::Position& position) const {
  for (auto batch = batches_.rbegin(); batch != batches_.rend(); ++batch) {
    if (batch->last.offset <= position.offset) return false;
    if (batch->last.epoch == position.epoch) return true;
  }
  return false;
}

void RedisTails::keep(Tail& tail, const hub::Position& last, std::size_t count, std::string_view bytes,
                      std::int64_t now_ms) {
  if (limits_.age_ms == 0 || bytes.size() > limits_.room_bytes) return;
  // Nearly always at the end.
  auto after = tail.batches_.end();
  while (after != tail.batches_.begin() && std::prev(after)->last.offset >= last.offset) {
    --after;
    if (after->last == last) return;
  }
  const auto self = tail.batches_.emplace(after);
  Batch& batch = *self;
  batch.self = self;
  batch.tail = &tail;
  batch.last = last;
  batch.count = count;
  batch.since_ms = now_ms;
  batch.bytes = bytes;
  by_age_.push_back(batch);
  tail.bytes_ += cost_of(batch);
  bytes_ += cost_of(batch);
  while (tail.bytes_ > limits_.room_bytes)
    drop(tail.batches_.front());
  while (bytes_ > limits_.bytes)
    drop(*by_age_.front());
  // In step with what is kept: so much work for each message is enough.
  for (int i = 0; i < 2 && !by_age_.empty() && now_ms - by_age_.front()->since_ms > limits_.age_ms; ++i)
    drop(*by_age_.front());
}

void RedisTails::clear(Tail& tail) {
  while (!tail.empty())
    drop(tail.batches_.front());
}

void RedisTails::age(std::int64_t now_ms) {
  for (std::size_t i = 0; i < aged_per_call && !by_age_.empty(); ++i) {
    if (now_ms - by_age_.front()->since_ms <= limits_.age_ms) return;
    drop(*by_age_.front());
  }
}

void RedisTails::drop(Batch& batch) {
  Tail& tail = *batch.tail;
  tail.bytes_ -= cost_of(batch);
  bytes_ -= cost_of(batch);
  tail.batches_.erase(batch.self);
}

}  // namespace roomcast::engine
