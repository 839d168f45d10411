#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "measurement.h"

namespace roomcast::bench {

/// What is said of the runs of one scenario against one server.
struct Shown {
  std::string_view scenario;
  std::string_view operation;  ///< in the plural: "deliveries"
  std::string server;
};

/// For people: a line for each figure, the median of all runs; faults are summed up.
[[nodiscard]] std::string show_as_text(const Shown& shown, const std::vector<Measurement>& runs);

/// For machines: one object with every run.
[[nodiscard]] std::string show_as_json(const Shown& shown, const std::vector<Measurement>& runs);

/// 1234567 as "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);

}  // namespace roomcast::bench
