#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "metrics/exposition.h"

namespace roomcast::part {

/// The metrics of which each transport has a share. Each function begins the family, or continues it.
class TransportMetrics {
 public:
  explicit TransportMetrics(metrics::Exposition& out) : out_(out) {}

  /// Adds `count` open connections; negative for those that are counted by another use as well.
  void connections(std::string_view use, std::int64_t count);
  /// Adds bytes waiting for clients; begins the sum.
  void queued(std::size_t bytes);
  void sent(std::string_view transport, std::uint64_t bytes);

 private:
  metrics::Exposition& out_;
};

}  // namespace roomcast::part
