#pragma once

#include <vector>

namespace roomcast::bench {

/// The middle one (of an even number: the mean of the two); not-a-number when there is none.
[[nodiscard]] double median(std::vector<double> values);

/// values[i] / bases[i] for every round that has both.
[[nodiscard]] std::vector<double> ratios(const std::vector<double>& values, const std::vector<double>& bases);

}  // namespace roomcast::bench
