#include "hub/idempotency_keys.h"

#include <algorithm>

namespace roomcast::hub {

void IdempotencyKeys::Queue::append(Item& item, Links Entry::*links) {
  (item.second.*links) = {newest, nullptr};
  if (newest != nullptr) {
    (newest->second.*links).newer = &item;
  } else {
    oldest = &item;
  }
  newest = &item;
}

void IdempotencyKeys::Queue::remove(Item& item, Links Entry::*links) {
  const Links around = item.second.*links;
  (around.older == nullptr ? oldest : (around.older->second.*links).newer) = around.newer;
  (around.newer == nullptr ? newest : (around.newer->second.*links).older) = around.older;
}

IdempotencyKeys::Item* IdempotencyKeys::find(std::string_view name, std::int64_t now_ms) {
  Item* const found = items_.find(name);
  if (found == nullptr || !found->second.published || !is_over(*found, now_ms)) return found;
  forget(*found);
  return nullptr;
}

bool IdempotencyKeys::make_room(std::size_t name_bytes, std::int64_t now_ms) {
  return take(name_bytes + key_bytes, now_ms);
}

/// Counts `bytes` more, if there is room.
bool IdempotencyKeys::take(std::size_t bytes, std::int64_t now_ms) {
  for (std::size_t i = 0; i < forgotten_at_once && bytes_ + bytes > limit_bytes_; ++i) {
    Item* const item = dispensable(now_ms);
    if (item == nullptr) return false;
    forget(*item);
  }
  if (bytes_ + bytes > limit_bytes_) return false;
  bytes_ += bytes;
  return true;
}

/// The key that is dropped next in favour of another; null if none may be.
IdempotencyKeys::Item* IdempotencyKeys::dispensable(std::int64_t now_ms) const {
  Item* const oldest = published_.oldest;
  if (oldest == nullptr || is_over(*oldest, now_ms)) return oldest;
  const Share* largest = nullptr;
  for (const Source source : past_share_) {
    const Share& share = shares_.find(source)->second;
    const bool has_any = share.published.oldest != nullptr;
    if (has_any && (largest == nullptr || share.bytes > largest->bytes)) largest = &share;
  }
  if (largest != nullptr) return largest->published.oldest;
  return now_ms - oldest->second.published_ms >= young_ms ? oldest : nullptr;
}

IdempotencyKeys::Item& IdempotencyKeys::add(std::string name, Entry&& entry) {
  Item& item = items_.try_emplace(std::move(name), std::move(entry)).first;
  Share& share = shares_[item.second.source];
  share.bytes += item.first.size() + key_bytes;
  note_share(item.second.source, share);
  return item;
}

void IdempotencyKeys::age(Item& item, std::int64_t now_ms) {
  item.second.published = true;
  item.second.published_ms = now_ms;
  published_.append(item, &Entry::among_all);
  shares_[item.second.source].published.append(item, &Entry::among_own);
}

void IdempotencyKeys::forget(Item& item) {
  const auto share = shares_.find(item.second.source);
  if (item.second.published) {
    published_.remove(item, &Entry::among_all);
    share->second.published.remove(item, &Entry::among_own);
  }
  const std::size_t bytes = item.first.size() + key_bytes;
  bytes_ -= bytes;
  share->second.bytes -= bytes;
  note_share(share->first, share->second);
  if (share->second.bytes == 0) shares_.erase(share);
  items_.erase(item);
}

/// Keeps `past_share_` right after the bytes of a source have changed.
void IdempotencyKeys::note_share(Source source, const Share& share) {
  const auto found = std::find(past_share_.begin(), past_share_.end(), source);
  const bool is_past = share.bytes > share_bytes();
  if (is_past && found == past_share_.end()) past_share_.push_back(source);
  if (!is_past && found != past_share_.end()) past_share_.erase(found);
}

bool IdempotencyKeys::forget_some(std::int64_t now_ms) {
  const auto has_more = [&] {
    Item* const oldest = published_.oldest;
    return oldest != nullptr && (bytes_ > limit_bytes_ || is_over(*oldest, now_ms));
  };
  for (std::size_t i = 0; i < forgotten_at_once && has_more(); ++i)
    forget(*published_.oldest);
  return has_more();
}

std::optional<std::int64_t> IdempotencyKeys::next_ms() const {
  if (published_.oldest == nullptr) return std::nullopt;
  return published_.oldest->second.published_ms + keep_ms;
}

void IdempotencyKeys::set_limit(std::size_t bytes) {
  limit_bytes_ = bytes;
  past_share_.clear();
  for (const auto& [source, share] : shares_)
    note_share(source, share);
}

}  // namespace roomcast::hub
