#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace roomcast::bench {

/// Counts durations in buckets of at most 3 % width, so that percentiles of millions cost a few kilobytes.
class Latency {
 public:
  void add(std::int64_t ns);
  void merge(const Latency& other);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// `share` in 0..1; 0 when nothing was counted.
  [[nodiscard]] std::int64_t percentile_ns(double share) const;
  [[nodiscard]] std::int64_t max_ns() const { return max_ns_; }

 private:
  std::array<std::uint32_t, 64 * 32> buckets_{};  ///< a power of two each, in 32 steps
  std::uint64_t count_ = 0;
  std::int64_t max_ns_ = 0;
};

}  // namespace roomcast::bench
