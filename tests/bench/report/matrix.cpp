#include "report/matrix.h"

#include <algorithm>
#include <exception>
#include <limits>

#include "report/statistics.h"

namespace roomcast::bench {

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

bool needs_floor(Base base) { return base == Base::send || base == Base::better; }
bool needs_join(Base base) { return base == Base::join || base == Base::better; }

/// One after the other in each round, the floors next to what is held against them.
/// The rivals take part in the first round only: saturated, they take minutes.
std::vector<Server> contestants(const Row& row, bool first_round) {
  std::vector<Server> servers;
  if (needs_floor(row.base)) servers.push_back(Server::floor);
  servers.push_back(Server::roomcast);
  if (needs_join(row.base)) servers.push_back(Server::floor_join);
  if (row.peers && first_round) servers.insert(servers.end(), {Server::nchan, Server::ws});
  return servers;
}

class RowRun {
 public:
  RowRun(Row row, const MatrixSettings& settings) : settings_(settings) {
    result_.row = std::move(row);
    common_.kind = result_.row.kind;
    common_.give_up_seconds = settings.give_up_seconds;
  }

  RowResult all_rounds() {
    for (std::size_t round = 0; round < settings_.rounds; ++round) {
      if (settings_.progress) settings_.progress(result_.row.name, round + 1, settings_.rounds);
      one_round(round == 0);
    }
    return std::move(result_);
  }

 private:
  void one_round(bool first_round) {
    for (const Server server : contestants(result_.row, first_round))
      note(result_.figures[server], measure(server, common_));
    if (result_.row.base == Base::none) return;
    const std::size_t values = result_.row.values.size();
    if (result_.row.base == Base::raw) {
      Common plain = common_;
      plain.kind = ClientKind();
      note(result_.base, measure(Server::roomcast, plain));
      return;
    }
    result_.base.assign(values, {});
    for (std::size_t value = 0; value < values; ++value)
      result_.base[value] = base_of(value);
  }

  std::vector<double> base_of(std::size_t value) {
    if (result_.row.base == Base::send) return result_.figures[Server::floor][value];
    if (result_.row.base == Base::join) return result_.figures[Server::floor_join][value];
    return smaller(result_.figures[Server::floor][value], result_.figures[Server::floor_join][value]);
  }

  void note(std::vector<std::vector<double>>& rounds, const std::vector<double>& figures) {
    rounds.resize(result_.row.values.size());
    for (std::size_t value = 0; value < rounds.size(); ++value)
      rounds[value].push_back(figures[value]);
  }

  std::vector<double> measure(Server server, const Common& common) {
    std::vector<double> figures(result_.row.values.size(), missing);
    try {
      const auto process = start_server(server, result_.row.needs, settings_.cpus.server, settings_.roomcast);
      if (!process) {
        if (server == Server::roomcast) remark(server, "cannot be started");
        return figures;
      }
      const Measurement run = result_.row.run(process->target(), common);
      if (!run.whole()) {
        remark(server, std::to_string(run.operations) + " of " + std::to_string(run.expected) + ", " +
                           std::to_string(run.faults.lost) + " lost, " + std::to_string(run.refused) +
                           " connections refused or cut");
        return figures;
      }
      for (std::size_t value = 0; value < figures.size(); ++value)
        figures[value] = result_.row.values[value].of(run);
    } catch (const std::exception& error) {
      remark(server, error.what());
    }
    return figures;
  }

  void remark(Server server, const std::string& what) {
    result_.remarks.push_back(std::string(name_of(server)) + ": " + what);
    if (server == Server::roomcast) result_.whole = false;
  }

  const MatrixSettings& settings_;
  Common common_;
  RowResult result_;
};

}  // namespace

double RowResult::median_figure(Server server, std::size_t value) const {
  const auto found = figures.find(server);
  return found == figures.end() ? missing : median(found->second.at(value));
}

double RowResult::median_base(std::size_t value) const {
  return base.empty() ? missing : median(base.at(value));
}

double RowResult::median_ratio(Server server, std::size_t value) const {
  const auto found = figures.find(server);
  if (found == figures.end() || base.empty()) return missing;
  return median(ratios(found->second.at(value), base.at(value)));
}

std::vector<RowResult> run_matrix(const MatrixSettings& settings) {
  pin_to_cpu(settings.cpus.load);
  std::vector<RowResult> results;
  for (Row& row : matrix_rows()) {
    if (row.name.find(settings.only) == std::string_view::npos) continue;
    results.push_back(RowRun(std::move(row), settings).all_rounds());
    if (settings.on_row) settings.on_row(results.back());
  }
  return results;
}

}  // namespace roomcast::bench
