#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "load/stamp.h"

namespace roomcast::bench {

/// What went wrong with deliveries, over all subscribers.
struct Faults {
  std::uint64_t lost = 0;       ///< numbers that were jumped over, or never came
  std::uint64_t repeated = 0;   ///< numbers that came again, or after a later one
  std::uint64_t unstamped = 0;  ///< messages that are not of this load
  [[nodiscard]] bool none() const { return lost == 0 && repeated == 0 && unstamped == 0; }
};

/// One subscriber's account: the next number it expects of each publisher of its room.
class Tally {
 public:
  /// `publishers`: the stamps' publishers are `first_publisher` and the `publishers - 1` after it.
  Tally(std::uint16_t first_publisher, std::uint16_t publishers);
  /// Takes note of a delivery; what is missing before it is counted as lost at once.
  void note(const Stamp& stamp, Faults& faults);
  /// The number that comes next from one of the publishers (0 is the first of them).
  [[nodiscard]] std::uint32_t next(std::size_t publisher) const { return next_[publisher]; }
  /// What is missing at the end when each publisher sent `messages`.
  void finish(std::uint32_t messages, Faults& faults) const;

 private:
  std::uint16_t first_publisher_;
  std::vector<std::uint32_t> next_;
};

}  // namespace roomcast::bench
