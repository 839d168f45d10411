#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/string_hash.h"
#include "store/record.h"

namespace roomcast::store {

/// Committed batches, in their order, and where the records of each room are in them. Not changed any more
/// once the tail has been cut behind it.
struct TailSegment {
  std::vector<std::shared_ptr<const std::string>> batches{};
  /// The whole bytes of the records of each room, in the order of their commits; under 0 the values.
  std::unordered_map<RoomId, std::vector<std::string_view>> records{};
  std::unordered_map<std::string_view, RoomId, base::StringHash, std::equal_to<>>
      rooms{};                 ///< those created here, by their names
  std::uint64_t last_seq = 0;  ///< of the last batch; 0: there is none
  std::size_t bytes = 0;       ///< of all batches
};

/// The records of one room that are committed but not folded, in the order of their commits.
struct TailRecords {
  std::vector<std::string_view> records{};  ///< whole; valid while this lives
  std::vector<std::shared_ptr<const void>> owners{};
};

/// What is committed to the journal and not yet in the history's database. The committer adds to it, the
/// archivist folds what it has cut off, the reader looks rooms up: the three threads share it, and only they
/// take its lock, for moments.
///
/// Nothing is released before its fold has committed. So whoever looks a room up here first, and begins to
/// read the database after that, misses nothing, but may find records in both.
class Tail {
 public:
  /// Adds a batch with the number `seq`, higher than those before; its checksums are known to be right, and
  /// nobody checks them again before they are written to a chunk.
  void add(std::uint64_t seq, std::string&& records);

  /// For a fold: everything added up to now. At most one cut is open at a time: until it is released, the
  /// same one is returned again. Null: there is nothing.
  [[nodiscard]] std::shared_ptr<const TailSegment> cut();
  /// The fold of the cut has committed.
  void release_cut();

  [[nodiscard]] TailRecords find(RoomId room) const;
  /// The room of that name, if it was created here.
  [[nodiscard]] std::optional<RoomId> find_room(std::string_view name) const;
  /// The bytes of all batches. For any thread: it takes no lock.
  [[nodiscard]] std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  mutable std::mutex mutex_;
  std::atomic<std::size_t> bytes_ = 0;
  std::shared_ptr<const TailSegment> cut_;
  std::shared_ptr<TailSegment> growing_ = std::make_shared<TailSegment>();
};

}  // namespace roomcast::store
