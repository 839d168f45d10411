#include "load/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace roomcast::bench {
namespace {

constexpr unsigned step_bits = 5;
constexpr std::size_t steps = std::size_t{1} << step_bits;

/// Below 32 ns each has a bucket of its own; above, the top six bits choose it.
std::size_t bucket_of(std::uint64_t ns) {
  if (ns < steps) return ns;
  const auto shift = static_cast<unsigned>(std::bit_width(ns)) - 1 - step_bits;
  return (shift + 1) * steps + (ns >> shift) % steps;
}

std::uint64_t middle_of(std::size_t bucket) {
  if (bucket < steps) return bucket;
  const std::size_t shift = bucket / steps - 1;
  const std::uint64_t lowest = (steps + bucket % steps) << shift;
  return lowest + ((std::uint64_t{1} << shift) - 1) / 2;
}

}  // namespace

void Latency::add(std::int64_t ns) {
  const std::int64_t counted = std::max<std::int64_t>(ns, 0);
  ++buckets_[bucket_of(static_cast<std::uint64_t>(counted))];
  ++count_;
  max_ns_ = std::max(max_ns_, counted);
}

void Latency::merge(const Latency& other) {
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket)
    buckets_[bucket] += other.buckets_[bucket];
  count_ += other.count_;
  max_ns_ = std::max(max_ns_, other.max_ns_);
}

std::int64_t Latency::percentile_ns(double share) const {
  const auto rank =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank) return std::min(static_cast<std::int64_t>(middle_of(bucket)), max_ns_);
  }
  return max_ns_;
}

}  // namespace roomcast::bench
