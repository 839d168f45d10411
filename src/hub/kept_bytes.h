#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "hub/source.h"

namespace roomcast::hub {

/// What is remembered, in bytes: all of it, and how much of it each source has brought.
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

}  // namespace roomcast::hub
