#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "load/crowd.h"
#include "load/poller.h"
#include "load/target.h"
#include "measurement.h"
#include "scenario/scenarios.h"

namespace roomcast::bench {

/// What surrounds each scenario: the time it may take, word of how far it is, and the server's CPU time while
/// it counts.
class Stage {
 public:
  /// The time runs from here. Both have to outlive it.
  Stage(const Target& target, const Common& common);

  [[nodiscard]] std::int64_t deadline_ns() const { return deadline_ns_; }
  /// Reports how far it is, at most once a second.
  void report(std::string_view what, std::uint64_t done, std::uint64_t of);

  /// Turns `poller` until `done`, and reports meanwhile how many of `of` there are. False when the time was
  /// up.
  bool run_until(Poller& poller, std::string_view what, std::uint64_t of,
                 const std::function<std::uint64_t()>& so_far, const std::function<bool()>& done);

  /// Has the first `count` clients opened; false when fewer are in the end: the time was up, or they were
  /// refused.
  bool open(Poller& poller, Crowd& crowd, std::size_t count);

  /// The part that counts begins, and ends: the time it took and the server's CPU time are added.
  void begin();
  void end(Measurement& measurement) const;

  /// The part that counts, in blocks of at least `least` operations with a rest before each, when the run has
  /// to let others go on. `block` does so many and returns when they are done, false when it has to stop.
  void run_in_blocks(Measurement& measurement, std::uint64_t operations, std::uint64_t least,
                     const std::function<bool(std::uint64_t operations)>& block);

 private:
  void rest();

  const Target& target_;
  const Common& common_;
  std::int64_t deadline_ns_;
  std::int64_t tell_next_ns_;
  std::int64_t begun_ns_ = 0;
  std::int64_t cpu_begun_ns_ = -1;
};

/// A figure in milliseconds, as the tables have latencies.
[[nodiscard]] constexpr double to_ms(std::int64_t ns) { return static_cast<double>(ns) / 1e6; }

}  // namespace roomcast::bench
