#include "report/matrix.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <memory>
#include <utility>

#include "report/by_turns.h"
#include "report/statistics.h"

namespace roomcast::bench {

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

struct Contestant {
  Server server;
  Common common;
  std::string roomcast;  ///< the daemon's path, as of start_server
};

class RowRun {
 public:
  RowRun(Row row, const MatrixSettings& settings) : settings_(settings) {
    result_.row = std::move(row);
    common_.kind = result_.row.kind;
    common_.give_up_seconds = settings.give_up_seconds;
    if (!settings.before.empty() && result_.row.base != Base::none) result_.row.base = Base::before;
  }

  RowResult all_rounds() {
    for (std::size_t round = 0; round < settings_.rounds; ++round) {
      if (settings_.progress) settings_.progress(result_.row.name, round + 1, settings_.rounds);
      round_ = round;
      one_round();
    }
    return std::move(result_);
  }

 private:
  void one_round() {
    const Contestant itself = contestant(Server::roomcast);
    if (result_.row.base == Base::raw) {
      Contestant plain = itself;
      plain.common.kind = ClientKind();
      return against(itself, plain);
    }
    if (result_.row.base == Base::before) {
      Contestant before = itself;
      before.roomcast = settings_.before;
      return against(itself, before);
    }
    std::vector<Contestant> by_turns;
    if (result_.row.base == Base::send) by_turns.push_back(contestant(Server::floor));
    if (result_.row.base == Base::join) by_turns.push_back(contestant(Server::floor_join));
    by_turns.push_back(itself);
    note_all(by_turns);
    // The rivals by themselves, and in the first round only: saturated, they take minutes.
    if (result_.row.peers && round_ == 0 && settings_.before.empty()) {
      for (const Server server : {Server::nchan, Server::ws})
        note_all({contestant(server)});
    }
    if (result_.row.base == Base::send) result_.base = result_.figures[Server::floor];
    if (result_.row.base == Base::join) result_.base = result_.figures[Server::floor_join];
  }

  [[nodiscard]] Contestant contestant(Server server) const { return {server, common_, settings_.roomcast}; }

  void against(const Contestant& itself, const Contestant& base) {
    const auto figures = measure({itself, base});
    note(result_.figures[Server::roomcast], figures[0]);
    note(result_.base, figures[1]);
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
  /// Every second round the last of them is started first: the server whose sockets are made first finds the
  /// kernel's memory more scattered, and pays some percent for it.
  std::vector<std::vector<double>> measure(std::vector<Contestant> by_turns) {
    const bool reversed = round_ % 2 == 1;
    if (reversed) std::reverse(by_turns.begin(), by_turns.end());
    auto figures = measure_in_order(by_turns);
    if (reversed) std::reverse(figures.begin(), figures.end());
    return figures;
  }

  std::vector<std::vector<double>> measure_in_order(const std::vector<Contestant>& by_turns) {
    std::vector<std::vector<double>> figures(by_turns.size(),
                                             std::vector<double>(result_.row.values.size(), missing));
    std::vector<std::unique_ptr<ServerProcess>> servers;
    std::vector<RunByTurns> runs;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < by_turns.size(); ++i) {
      servers.push_back(start(by_turns[i]));
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

  std::unique_ptr<ServerProcess> start(const Contestant& one) {
    try {
      auto process = start_server(one.server, result_.row.needs, settings_.cpus.server, one.roomcast);
      if (!process && one.server == Server::roomcast) remark(one.server, "cannot be started");
      return process;
    } catch (const std::exception& error) {
      remark(one.server, error.what());
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
  std::size_t round_ = 0;
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
