#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/name_map.h"
#include "hub/message.h"
#include "hub/outcome.h"
#include "hub/source.h"

namespace roomcast::hub {

/// The keys that IdempotentPublisher knows, each with the outcome of its message, and the order in which they
/// are dropped. Times are monotonic milliseconds.
///
/// Past the limit, expired keys go first; then, however young, the oldest of a source that has more than a
/// quarter of all bytes; then the oldest of all, but none younger than `young_ms`. A key that does not fit
/// then is refused: it is better to refuse a new key than to drop one that may still be repeated.
class IdempotencyKeys {
 public:
  using Digest = std::array<unsigned char, 32>;
  struct Entry;
  using Item = std::pair<const std::string, Entry>;
  /// Neighbours in an order of age.
  struct Links {
    Item* older = nullptr;
    Item* newer = nullptr;
  };
  struct Entry {
    Digest digest{};  // of payload, event name and tags
    Kind kind = Kind::text;
    bool published = false;
    Source source = 0;
    Receipt receipt;                   // of a published one
    std::int64_t published_ms = 0;     // likewise
    std::vector<PublishDone> waiting;  // of repeats, while it is under way
    Links among_all;                   // while it is published, as the next
    Links among_own;
  };

  explicit IdempotencyKeys(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}
  IdempotencyKeys(const IdempotencyKeys&) = delete;
  IdempotencyKeys& operator=(const IdempotencyKeys&) = delete;
  ~IdempotencyKeys() = default;

  /// The key of that name, if it is kept: under way, or published less than `keep_ms` ago. It does not move
  /// until it is dropped.
  [[nodiscard]] Item* find(std::string_view name, std::int64_t now_ms);
  /// Reserves space for a key of `name_bytes`, or for one more callback that waits: false if there is none.
  /// It is released by forget(), or by leave().
  [[nodiscard]] bool make_room(std::size_t name_bytes, std::int64_t now_ms);
  [[nodiscard]] bool make_waiting_room(std::int64_t now_ms) { return take(waiter_bytes, now_ms); }
  void leave(std::size_t waiters) { bytes_ -= waiters * waiter_bytes; }

  /// A key under way, for which room has been made.
  Item& add(std::string name, Entry&& entry);
  /// It is published: from now on it ages and may be forgotten.
  void age(Item& item, std::int64_t now_ms);
  void forget(Item& item);
  /// Drops some of the expired keys, and of those past a limit that was lowered.
  /// True if there are more.
  bool forget_some(std::int64_t now_ms);
  /// When the next key expires.
  [[nodiscard]] std::optional<std::int64_t> next_ms() const;

  /// Keys past the new limit are left to forget_some.
  void set_limit(std::size_t bytes);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return items_.size(); }

  static constexpr std::int64_t keep_ms = 300'000;
  static constexpr std::int64_t young_ms = 60'000;
  /// The bytes that a key takes beside its name, and that each callback that waits for its outcome takes.
  static constexpr std::size_t key_bytes = 230;
  static constexpr std::size_t waiter_bytes = 96;
  /// Keys that one call drops at most.
  static constexpr std::size_t forgotten_at_once = 256;

 private:
  /// From the one published first to the one published last.
  struct Queue {
    Item* oldest = nullptr;
    Item* newest = nullptr;
    void append(Item& item, Links Entry::*links);
    void remove(Item& item, Links Entry::*links);
  };
  struct Share {
    std::size_t bytes = 0;  // including keys under way
    Queue published;
  };

  bool take(std::size_t bytes, std::int64_t now_ms);
  [[nodiscard]] static bool is_over(const Item& item, std::int64_t now_ms) {
    return now_ms - item.second.published_ms >= keep_ms;
  }
  [[nodiscard]] Item* dispensable(std::int64_t now_ms) const;
  [[nodiscard]] std::size_t share_bytes() const { return limit_bytes_ / 4; }
  void note_share(Source source, const Share& share);

  std::size_t limit_bytes_;
  std::size_t bytes_ = 0;
  base::NameMap<Entry> items_;
  Queue published_;
  std::unordered_map<Source, Share> shares_;  // of sources that have any
  std::vector<Source> past_share_;            // sources with more than a share: three at most, as a rule
};

}  // namespace roomcast::hub
