#include "report/matrix.h"

#include <exception>
#include <limits>
#include <memory>
#include <utility>

#include "report/by_turns.h"
#include "report/statistics.h"

namespace roomcast::bench {

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

bool needs_floor(Base base) { return base == Base::send || base == Base::better; }
bool needs_join(Base base) { return base == Base::join || base == Base::better; }

/// The floors, and what is held against them.
std::vector<Server> contestants(const Row& row) {
  std::vector<Server> servers;
  if (needs_floor(row.base)) servers.push_back(Server::floor);
  servers.push_back(Server::roomcast);
  if (needs_join(row.base)) servers.push_back(Server::floor_join);
  return servers;
}

struct Contestant {
  Server server;
  Common common;
};

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
    if (result_.row.base == Base::raw) {
      Common plain = common_;
      plain.kind = ClientKind();
      const auto figures = measure({{Server::roomcast, common_}, {Server::roomcast, plain}});
      note(result_.figures[Server::roomcast], figures[0]);
      note(result_.base, figures[1]);
      return;
    }
    std::vector<Contestant> by_turns;
    for (const Server server : contestants(result_.row))
      by_turns.push_back({server, common_});
    note_all(by_turns);
    // The rivals by themselves, and in the first round only: saturated, they take minutes.
    if (result_.row.peers && first_round) {
      for (const Server server : {Server::nchan, Server::ws})
        note_all({{server, common_}});
    }
    if (result_.row.base == Base::none) return;
    result_.base.clear();
    for (std::size_t value = 0; value < result_.row.values.size(); ++value)
      result_.base.push_back(base_of(value));
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

  void note_all(const std::vector<Contestant>& by_turns) {
    const auto figures = measure(by_turns);
    for (std::size_t i = 0; i < by_turns.size(); ++i)
      note(result_.figures[by_turns[i].server], figures[i]);
  }

  /// Of each contestant the row's figures; not-a-number where it could not take part, or lost something.
  std::vector<std::vector<double>> measure(const std::vector<Contestant>& by_turns) {
    std::vector<std::vector<double>> figures(by_turns.size(),
                                             std::vector<double>(result_.row.values.size(), missing));
    std::vector<std::unique_ptr<ServerProcess>> servers;
    std::vector<RunByTurns> runs;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < by_turns.size(); ++i) {
      servers.push_back(start(by_turns[i].server));
      if (!servers.back()) continue;
      places.push_back(i);
      runs.emplace_back([this, &process = *servers.back(),
                         common = by_turns[i].common](const std::function<void()>& rest) mutable {
        common.rest = rest;
        return result_.row.run(process.target(), common);
      });
    }
    const std::vector<Outcome> outcomes = run_by_turns(runs);
    for (std::size_t i = 0; i < places.size(); ++i)
      enter(by_turns[places[i]].server, outcomes[i], figures[places[i]]);
    return figures;
  }

  std::unique_ptr<ServerProcess> start(Server server) {
    try {
      auto process = start_server(server, result_.row.needs, settings_.cpus.server, settings_.roomcast);
      if (!process && server == Server::roomcast) remark(server, "cannot be started");
      return process;
    } catch (const std::exception& error) {
      remark(server, error.what());
      return nullptr;
    }
  }

  void enter(Server server, const Outcome& outcome, std::vector<double>& figures) {
    if (!outcome.measurement) return remark(server, outcome.complaint);
    const Measurement& run = *outcome.measurement;
    if (!run.whole()) {
      return remark(server, std::to_string(run.operations) + " of " + std::to_string(run.expected) + ", " +
                                std::to_string(run.faults.lost) + " lost, " + std::to_string(run.refused) +
                                " connections refused or cut");
    }
    for (std::size_t value = 0; value < figures.size(); ++value)
      figures[value] = result_.row.values[value].of(run);
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
