#include "hub/history.h"

#include <algorithm>
#include <utility>

#include "base/memory.h"

namespace roomcast::hub {

namespace {

constexpr std::size_t block_overhead = base::Bytes::block_overhead;

std::size_t payload_cost(const Message& message) {
  return message.payload.empty() ? 0 : message.payload.size() + block_overhead;
}

/// A quarter more, so that a message is moved only a few times in its life and little memory is spare.
constexpr std::size_t with_spare(std::size_t size) { return size + size / 4; }

}  // namespace

void History::append(const Message& message, std::int64_t now_ms, const HistoryLimits& limits) {
  const std::size_t message_cost = cost(message);
  if (limits.messages == 0 || message_cost > limits.bytes) return clear();
  Kept& kept = slot_for_next(limits.messages);
  kept.message = message;
  kept.kept_at_ms = now_ms;
  count_in(message);
  trim(now_ms, limits);
}

/// The slot for the next message; that of the oldest, to be overwritten, if `messages_max` are kept already.
History::Kept& History::slot_for_next(std::size_t messages_max) {
  if (size_ == messages_max && size_ == ring_.size()) {
    Kept& oldest = ring_[first_];
    count_out(oldest.message);
    first_ = slot(1);
    return oldest;
  }
  if (size_ == messages_max) drop_oldest();
  // More than messages_max if that has just been lowered: the caller trims.
  if (size_ == ring_.size()) set_capacity(std::max(size_ + 1, std::min(with_spare(size_) + 1, messages_max)));
  return ring_[slot(size_++)];
}

void History::trim(std::int64_t now_ms, const HistoryLimits& limits) {
  while (!empty() &&
         (size_ > limits.messages || bytes_ > limits.bytes || now_ms - oldest_ms() >= limits.age_ms))
    drop_oldest();
}

void History::drop_oldest() {
  Kept& oldest = ring_[first_];
  count_out(oldest.message);
  // The rest is overwritten by the next message there.
  oldest.message.payload.reset();
  oldest.message.author = {};
  oldest.message.labels = {};
  first_ = slot(1);
  --size_;
  if (size_ * 2 < ring_.size()) set_capacity(with_spare(size_));
}

void History::amend(const Amendment& amendment) {
  const std::uint64_t offset = amendment.message.position.offset;
  if (find(offset) == nullptr) return;
  Message& message = ring_[slot(first_after(offset - 1))].message;
  if (message.is_removed) return;
  count_out(message);
  apply_amendment(amendment, message);
  count_in(message);
}

void History::drop_up_to(std::uint64_t offset) {
  if (first_after(offset) == size_) return clear();
  while (at(0).message.position.offset <= offset)
    drop_oldest();
}

void History::clear() {
  for (std::size_t i = 0; i < size_; ++i)
    count_out(at(i).message);
  base::release(ring_);
  first_ = 0;
  size_ = 0;
}

const Message* History::find(std::uint64_t offset) const {
  const std::size_t index = first_after(offset - 1);
  return index < size_ && at(index).message.position.offset == offset ? &at(index).message : nullptr;
}

std::size_t History::first_after(std::uint64_t offset) const {
  std::size_t low = 0;
  std::size_t high = size_;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (at(middle).message.position.offset <= offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void History::set_capacity(std::size_t capacity) {
  std::vector<Kept> ring(capacity);
  for (std::size_t i = 0; i < size_; ++i)
    ring[i] = std::move(ring_[slot(i)]);
  ring_ = std::move(ring);
  first_ = 0;
}

std::size_t History::cost(const Message& message) {
  return with_spare(sizeof(Kept)) + payload_cost(message) + message.author.held_bytes() +
         message.labels.held_bytes();
}

void History::count_in(const Message& message) {
  const std::size_t message_cost = cost(message);
  bytes_ += message_cost;
  if (message.is_removed) ++removed_;
  const bool is_first = message.payload.add_keeper();
  kept_bytes_->add(message.source, is_first ? message_cost : message_cost - payload_cost(message));
}

void History::count_out(const Message& message) {
  const std::size_t message_cost = cost(message);
  bytes_ -= message_cost;
  if (message.is_removed) --removed_;
  const bool was_last = message.payload.drop_keeper();
  kept_bytes_->remove(message.source, was_last ? message_cost : message_cost - payload_cost(message));
}

}  // namespace roomcast::hub
