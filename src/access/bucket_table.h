#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "access/token_bucket.h"

namespace roomcast::access {

/// The token buckets of many clients, `Slots` for each, within a bound in bytes. Keys are keyed hashes of
/// names and addresses (base::StringHash), so that nobody can choose which clients share a place; two clients
/// with equal hashes share their buckets.
///
/// The table is made of small sets, each allocated when it is needed. A key belongs to one set; where that
/// has no free place, the client whose buckets are full soonest is forgotten: one with full buckets loses
/// nothing, and of others the one that has spent least. So a flood of addresses, each of which has spent
/// little, forgets its own; one that has been stopped stays stopped. Every call looks at one set, or two.
template <std::size_t Slots>
class BucketTable {
 public:
  using Buckets = std::array<TokenBucket, Slots>;

  /// Takes at most so many bytes, but one set at least, and none before something is spent.
  explicit BucketTable(std::size_t bytes_max)
      : count_(std::max<std::size_t>(bytes_max / (sizeof(Set) + set_overhead), 1)) {}
  BucketTable(const BucketTable&) = delete;
  BucketTable& operator=(const BucketTable&) = delete;
  BucketTable(BucketTable&&) noexcept = default;
  BucketTable& operator=(BucketTable&&) noexcept = default;
  ~BucketTable() = default;

  /// Null if nothing is known: all are full.
  [[nodiscard]] const Buckets* find(std::uint64_t key) const {
    if (sets_.empty()) return nullptr;
    const Set* const set = sets_[place_of(key)].get();
    if (set == nullptr) return nullptr;
    const auto found = std::find(set->keys.begin(), set->keys.end(), key);
    return found == set->keys.end() ? nullptr : &set->buckets[index_in(*set, found)];
  }
  /// Those of `key`, full ones if there are none. Valid until the next call.
  [[nodiscard]] Buckets& take(std::uint64_t key, std::int64_t now_ns) {
    if (sets_.empty()) sets_.resize(count_);
    auto& place = sets_[place_of(key)];
    if (place) {
      const auto found = std::find(place->keys.begin(), place->keys.end(), key);
      if (found != place->keys.end()) return place->buckets[index_in(*place, found)];
    }
    free_if_full(now_ns);
    if (!place) {
      place = std::make_unique<Set>();
      ++allocated_;
    }
    const std::size_t index = place_for_new(*place, now_ns);
    if (full_at_ns(place->buckets[index]) > now_ns) ++forgotten_;
    place->keys[index] = key;
    place->buckets[index] = {};
    return place->buckets[index];
  }

  /// Memory that it takes, overhead of the allocator included.
  [[nodiscard]] std::size_t bytes() const {
    return sets_.capacity() * sizeof(void*) + allocated_ * (sizeof(Set) + set_overhead - sizeof(void*));
  }
  /// Clients that it has place for.
  [[nodiscard]] std::size_t capacity() const { return count_ * ways; }
  /// How many clients were forgotten before their buckets were full again.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

 private:
  static constexpr std::size_t ways = 32;
  static constexpr std::size_t set_overhead = sizeof(void*) + 2 * sizeof(void*);  // its pointer, malloc's own

  struct Set {
    std::array<std::uint64_t, ways> keys{};  // of unused places it does not matter: their buckets are full
    std::array<Buckets, ways> buckets{};
  };

  [[nodiscard]] std::size_t place_of(std::uint64_t key) const { return key % count_; }
  [[nodiscard]] static std::size_t index_in(const Set& set,
                                            typename std::array<std::uint64_t, ways>::const_iterator found) {
    return static_cast<std::size_t>(found - set.keys.begin());
  }
  /// When the last of them is full.
  [[nodiscard]] static std::int64_t full_at_ns(const Buckets& buckets) {
    std::int64_t latest = 0;
    for (const TokenBucket& bucket : buckets)
      latest = std::max(latest, bucket.full_at_ns());
    return latest;
  }
  /// The first place whose buckets are full, or the one where they are soonest.
  [[nodiscard]] static std::size_t place_for_new(const Set& set, std::int64_t now_ns) {
    std::size_t best = 0;
    std::int64_t best_ns = full_at_ns(set.buckets[0]);
    for (std::size_t i = 1; i < ways && best_ns > now_ns; ++i) {
      const std::int64_t full_ns = full_at_ns(set.buckets[i]);
      if (full_ns >= best_ns) continue;
      best = i;
      best_ns = full_ns;
    }
    return best;
  }
  /// Frees the next set of all if nobody in it would lose anything.
  void free_if_full(std::int64_t now_ns) {
    auto& place = sets_[next_to_free_];
    next_to_free_ = (next_to_free_ + 1) % count_;
    if (!place) return;
    const bool is_in_use = std::any_of(place->buckets.begin(), place->buckets.end(),
                                       [now_ns](const Buckets& one) { return full_at_ns(one) > now_ns; });
    if (is_in_use) return;
    place.reset();
    --allocated_;
  }

  std::size_t count_;
  std::vector<std::unique_ptr<Set>> sets_;
  std::size_t allocated_ = 0;
  std::size_t next_to_free_ = 0;
  std::uint64_t forgotten_ = 0;
};

}  // namespace roomcast::access
