#include "hub/history.h"

#include <algorithm>

namespace roomcast::hub {

namespace {

// The allocator's and the frame's own bytes for each block.
constexpr std::size_t block_overhead = 24;

}  // namespace

void History::append(const Message& message, std::int64_t now_ms, const HistoryLimits& limits) {
  if (limits.messages == 0) return;
  kept_.push_back({message, now_ms});
  bytes_ += cost(message);
  trim(now_ms, limits);
}

void History::trim(std::int64_t now_ms, const HistoryLimits& limits) {
  while (!empty() &&
         (size() > limits.messages || bytes_ > limits.bytes || oldest_ms() + limits.age_ms <= now_ms))
    drop_oldest();
}

void History::drop_oldest() {
  bytes_ -= cost(kept_[first_].message);
  kept_[first_++] = {};
  if (empty()) return clear();
  // Moving what is left once for as many drops keeps a drop O(1) on average.
  if (first_ * 2 < kept_.size() || first_ < 16) return;
  kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
}

void History::clear() {
  kept_ = {};
  first_ = 0;
  bytes_ = 0;
}

std::size_t History::first_after(std::uint64_t offset) const {
  const auto begin = kept_.begin() + static_cast<std::ptrdiff_t>(first_);
  const auto found = std::partition_point(
      begin, kept_.end(), [offset](const Kept& kept) { return kept.message.position.offset <= offset; });
  return static_cast<std::size_t>(found - begin);
}

std::size_t History::cost(const Message& message) {
  const std::size_t name = message.from.empty() ? 0 : message.from.size() + block_overhead;
  return sizeof(Kept) + message.payload.size() + block_overhead + name;
}

}  // namespace roomcast::hub
