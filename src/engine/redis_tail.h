#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "base/linked_list.h"
#include "hub/message.h"

namespace roomcast::engine {

/// The batches that were last added to the logs of all rooms, as they stood there: what a log loses with its
/// server is put back from here. Which batch is at a place is true for ever, also where the log has lost it.
/// Bounded in time and in bytes, of a room and of all.
class RedisTails {
 public:
  struct Limits {
    std::size_t bytes = std::size_t{32} << 20U;
    std::size_t room_bytes = std::size_t{1} << 20U;
    std::int64_t age_ms = 15'000;
  };

  class Tail;
  struct Batch final : public base::Linked<RedisTails> {
    Tail* tail = nullptr;
    hub::Position last;  ///< of its last message
    std::size_t count = 0;
    std::int64_t since_ms = 0;
    std::string bytes;
    std::list<Batch>::iterator self;

    [[nodiscard]] std::uint64_t first() const { return last.offset - count + 1; }
  };
  /// What is kept of one room, in the order of offsets; there may be holes. Cleared before it is destroyed.
  class Tail {
   public:
    [[nodiscard]] bool empty() const { return batches_.empty(); }
    [[nodiscard]] const std::list<Batch>& batches() const { return batches_; }
    /// Whether there is something of that epoch after that offset.
    [[nodiscard]] bool goes_past(const hub::Position& position) const;

   private:
    friend class RedisTails;
    std::list<Batch> batches_;
    std::size_t bytes_ = 0;
  };

  explicit RedisTails(const Limits& limits) : limits_(limits) {}

  /// Keeps a batch, unless it is kept already.
  void keep(Tail& tail, const hub::Position& last, std::size_t count, std::string_view bytes,
            std::int64_t now_ms);
  void clear(Tail& tail);
  /// Drops what is too old: some of it at a time.
  void age(std::int64_t now_ms);
  [[nodiscard]] bool empty() const { return by_age_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  [[nodiscard]] static std::size_t cost_of(const Batch& batch) {
    return sizeof(Batch) + 32 + batch.bytes.size();
  }
  void drop(Batch& batch);

  Limits limits_;
  std::size_t bytes_ = 0;
  base::LinkedList<Batch, RedisTails> by_age_;
};

}  // namespace roomcast::engine
