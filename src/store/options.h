#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace roomcast::store {

/// The values of `store.*`, named as there.
struct StoreOptions {
  std::string path;
  std::int64_t commit_ms = 5;
  bool sets_aside = false;  ///< store.on_corruption is set_aside
  std::size_t queue_bytes = std::size_t{16} << 20U;
  std::size_t fold_bytes = std::size_t{16} << 20U;
  std::uint64_t disk_bytes = std::uint64_t{1} << 30U;
  std::size_t cache_bytes = std::size_t{48} << 20U;
  bool secure_delete = false;
};

/// A histogram: `buckets[i]` counts the values of at most `Scale::bounds[i]` that exceed the previous bound;
/// the last one has no bound.
template <class Scale>
struct Histogram {
  std::array<std::uint64_t, Scale::bounds.size() + 1> buckets{};
  std::uint64_t count = 0;
  std::uint64_t sum = 0;

  void add(std::int64_t value) {
    std::size_t bucket = 0;
    while (bucket < Scale::bounds.size() && value > Scale::bounds[bucket])
      ++bucket;
    ++buckets[bucket];
    ++count;
    sum += static_cast<std::uint64_t>(value);
  }
};

/// In microseconds.
struct DurationScale {
  static constexpr std::array<std::int64_t, 13> bounds{500,       1'000,     2'500,    5'000,   10'000,
                                                       25'000,    50'000,    100'000,  250'000, 500'000,
                                                       1'000'000, 2'500'000, 5'000'000};
};
using Durations = Histogram<DurationScale>;

/// Numbers of messages.
struct BatchScale {
  static constexpr std::array<std::int64_t, 13> bounds{0,   1,   2,   5,     10,    25,    50,
                                                       100, 250, 500, 1'000, 2'500, 10'000};
};
using BatchSizes = Histogram<BatchScale>;

/// What the store has done since the start, and how it stands.
struct StoreStats {
  Durations commits{};   ///< from the handing over of a batch to its being on the disk
  Durations syncs{};     ///< of the disk, for a commit: a part of `commits`
  BatchSizes batches{};  ///< messages in a commit
  Durations folds{};
  Durations loads{};  ///< from the request to its answer
  Durations reads{};
  std::uint64_t committed_bytes = 0;
  std::uint64_t committed_records = 0;
  std::uint64_t commit_errors = 0;
  std::uint64_t checkpoint_errors = 0;
  std::uint64_t fold_errors = 0;  ///< of folds, sweeps and quarantine
  std::uint64_t read_errors = 0;
  std::uint64_t check_errors = 0;  ///< the look through the history after an unclean stop found damage
  std::uint64_t damaged_chunks = 0;
  std::uint64_t clock_jumps = 0;
  std::uint64_t evicted_by_count = 0;  ///< messages that have gone from the disk
  std::uint64_t evicted_by_bytes = 0;
  std::uint64_t evicted_by_age = 0;
  std::uint64_t evicted_by_disk = 0;
  std::uint64_t disk_bytes = 0;  ///< of all files, some seconds ago at most
  std::uint64_t rooms = 0;       ///< in history.db
  std::uint64_t messages = 0;    ///< likewise
};

}  // namespace roomcast::store
