#include "session/user_index.h"

#include <bit>
#include <cstdint>

#include "base/string_hash.h"

namespace roomcast::session {

std::size_t UserIndex::bucket_of(access::Kind kind, std::string_view id) const {
  // A user and a key may have the same id.
  const std::size_t hash = base::StringHash{}(id) ^ (kind == access::Kind::key ? ~std::size_t{0} : 0);
  // The buckets of the present round have been split up to buckets_.size() - low.
  const std::size_t low = std::bit_floor(buckets_.size());
  const std::size_t wide = hash & (2 * low - 1);
  return wide < buckets_.size() ? wide : hash & (low - 1);
}

void UserIndex::link(Entry& entry, Entry*& bucket) {
  entry.next_ = bucket;
  entry.link_ = &bucket;
  if (bucket != nullptr) bucket->link_ = &entry.next_;
  bucket = &entry;
}

void UserIndex::unlink(Entry& entry) {
  *entry.link_ = entry.next_;
  if (entry.next_ != nullptr) entry.next_->link_ = entry.link_;
  entry.next_ = nullptr;
  entry.link_ = nullptr;
}

void UserIndex::add(Entry& entry) {
  if (size_ >= buckets_.size()) add_bucket();
  ++size_;
  link(entry, buckets_[bucket_of(entry.identity_.kind(), entry.identity_.id())]);
}

void UserIndex::remove(Entry& entry) {
  if (entry.link_ == nullptr) return;
  --size_;
  unlink(entry);
}

/// Splits the next bucket: its entries belong to it or to the new one.
void UserIndex::add_bucket() {
  buckets_.push_back(nullptr);
  const std::size_t made = buckets_.size() - 1;
  if (made == 0) return;
  const std::size_t split = made - std::bit_floor(made);
  Entry* entry = std::exchange(buckets_[split], nullptr);
  while (entry != nullptr) {
    Entry& moved = *entry;
    entry = entry->next_;
    link(moved, buckets_[bucket_of(moved.identity_.kind(), moved.identity_.id())]);
  }
}

}  // namespace roomcast::session
