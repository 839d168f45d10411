#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "measurement.h"

namespace roomcast::bench {

/// A run of a scenario, which calls `rest` before each block of what counts.
using RunByTurns = std::function<Measurement(const std::function<void()>& rest)>;

/// What has become of a run.
struct Outcome {
  std::optional<Measurement> measurement;
  std::string complaint;  ///< why there is none
};

/// Has all runs done side by side, each in a process of its own (since one has not descriptors enough for all
/// their clients), of which one at a time goes on, from one rest to the next: what else the machine has to do
/// meanwhile, and how fast it is, then hits all alike, and their ratio means more than their figures. Every
/// second time round the order is the reverse. Gives the outcomes in the order of `runs`.
[[nodiscard]] std::vector<Outcome> run_by_turns(const std::vector<RunByTurns>& runs);

}  // namespace roomcast::bench
