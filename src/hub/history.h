#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hub/amendment.h"
#include "hub/message.h"
#include "hub/room_settings.h"
#include "hub/source.h"

namespace roomcast::hub {

/// The bytes that histories and rooms take: all of them, and the part of each source.
class KeptBytes {
 public:
  void add(Source source, std::size_t bytes) {
    total_ += bytes;
    by_source_[source] += bytes;
  }
  void remove(Source source, std::size_t bytes) {
    total_ -= bytes;
    std::size_t& of_source = by_source_[source];
    of_source -= std::min(of_source, bytes);
  }
  [[nodiscard]] std::size_t total() const { return total_; }
  [[nodiscard]] std::size_t of(Source source) const { return by_source_[source]; }

 private:
  std::size_t total_ = 0;
  std::vector<std::size_t> by_source_ = std::vector<std::size_t>(source_count);
};

/// The last messages of one room, oldest first, within its limits. An empty one owns no memory.
class History {
 public:
  /// `kept_bytes` is kept up to date with what this and all others that count there hold of memory: a payload
  /// that several rooms keep is counted once. It outlives the history.
  explicit History(KeptBytes& kept_bytes) : kept_bytes_(&kept_bytes) {}
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  /// Appends a message that comes after all that are kept, and drops messages past the limits: perhaps this
  /// one.
  void append(const Message& message, std::int64_t now_ms, const HistoryLimits& limits);
  /// Drops messages past the limits' age, count or bytes.
  void trim(std::int64_t now_ms, const HistoryLimits& limits);
  /// Not when empty.
  void drop_oldest();
  /// Applies what changes one message, if that is kept and not removed.
  void amend(const Amendment& amendment);
  /// Drops all messages up to that offset.
  void drop_up_to(std::uint64_t offset);
  void clear();

  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Removed messages count until they age out like others.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// How many of them are removed.
  [[nodiscard]] std::size_t removed() const { return removed_; }
  /// The memory of the kept messages: payloads, senders' names, and the fixed cost of a message. Payloads
  /// that other rooms keep as well are counted here too.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// The message at `index`, 0 the oldest; less than size().
  [[nodiscard]] const Message& operator[](std::size_t index) const { return at(index).message; }
  /// The index of the first message whose offset is greater than `offset`; size() if there is none.
  /// O(log n).
  [[nodiscard]] std::size_t first_after(std::uint64_t offset) const;
  /// The message with that offset; null if it is not kept.
  [[nodiscard]] const Message* find(std::uint64_t offset) const;
  /// When the oldest was appended (monotonic); not when empty.
  [[nodiscard]] std::int64_t oldest_ms() const { return at(0).kept_at_ms; }

 private:
  struct Kept {
    Message message;
    std::int64_t kept_at_ms = 0;
  };
  static std::size_t cost(const Message& message);
  void count_in(const Message& message);
  void count_out(const Message& message);
  Kept& slot_for_next(std::size_t messages_max);
  [[nodiscard]] std::size_t slot(std::size_t index) const {
    const std::size_t at = first_ + index;
    return at < ring_.size() ? at : at - ring_.size();
  }
  [[nodiscard]] const Kept& at(std::size_t index) const { return ring_[slot(index)]; }
  void set_capacity(std::size_t capacity);

  KeptBytes* kept_bytes_;
  std::vector<Kept> ring_;  // all of it in use or spare: its size is the capacity
  std::size_t first_ = 0;   // the slot of the oldest
  std::size_t size_ = 0;
  std::size_t removed_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace roomcast::hub
