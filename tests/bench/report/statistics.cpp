#include "report/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace roomcast::bench {

double median(std::vector<double> values) {
  values.erase(std::remove_if(values.begin(), values.end(), [](double v) { return std::isnan(v); }),
               values.end());
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<double> ratios(const std::vector<double>& values, const std::vector<double>& bases) {
  std::vector<double> result;
  for (std::size_t i = 0; i < std::min(values.size(), bases.size()); ++i)
    result.push_back(values[i] / bases[i]);
  return result;
}

}  // namespace roomcast::bench
