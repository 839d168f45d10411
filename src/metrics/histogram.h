#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace roomcast::metrics {

/// Counts observations in fixed buckets; observing allocates nothing. Not for several threads.
class Histogram {
 public:
  /// `bounds` are the buckets' inclusive upper ends in rising order, without +Inf, which is always there.
  explicit Histogram(std::span<const double> bounds);

  void observe(double value);

  [[nodiscard]] std::span<const double> bounds() const { return bounds_; }
  /// Observations in each bucket alone, the last one being those above all bounds: bounds().size() + 1.
  [[nodiscard]] std::span<const std::uint64_t> counts() const { return counts_; }
  [[nodiscard]] double sum() const { return sum_; }

 private:
  std::vector<double> bounds_;
  std::vector<std::uint64_t> counts_;
  double sum_ = 0;
};

}  // namespace roomcast::metrics
