#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "report/matrix_rows.h"
#include "report/pinning.h"

namespace roomcast::bench {

/// What a row's servers have shown: for each server and value the figure of each round; not-a-number where a
/// round failed.
struct RowResult {
  Row row;
  std::map<Server, std::vector<std::vector<double>>> figures;  ///< [server][value][round]
  std::vector<std::vector<double>> base;                       ///< [value][round]; empty without a base
  std::vector<std::string>
      remarks;        ///< servers that lost something, or could not take part although they are installed
  bool whole = true;  ///< roomcast delivered all there was

  /// Median of the figures, or of their ratios to the base of the same round.
  [[nodiscard]] double median_figure(Server server, std::size_t value) const;
  [[nodiscard]] double median_base(std::size_t value) const;
  [[nodiscard]] double median_ratio(Server server, std::size_t value) const;
};

struct MatrixSettings {
  Cpus cpus;
  std::size_t rounds = 6;
  std::string only;  ///< part of the names of the rows that are wanted
  std::string roomcast;
  std::string before;  ///< another roomcast, which is the base then instead of the floor; may be empty
  std::int64_t give_up_seconds = 60;
  Progress progress;
  std::function<void(const RowResult&)> on_row;  ///< called for each row when it is done; may be empty
};

/// Runs every row; roomcast and what it is held against by turns in each round (`run_by_turns`). Servers and
/// load have a CPU each where there are two.
[[nodiscard]] std::vector<RowResult> run_matrix(const MatrixSettings& settings);

}  // namespace roomcast::bench
