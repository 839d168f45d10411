// roomcast-bench: what a server costs, beside what the kernel charges. See `roomcast-bench --help`.

#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "attack/attack_run.h"
#include "command_line.h"
#include "report/attack_table.h"
#include "report/matrix.h"
#include "report/pinning.h"
#include "report/show.h"
#include "report/tables.h"
#include "scenario/million.h"
#include "serve/child_process.h"
#include "serve/floor.h"
#include "serve/kernel_limits.h"
#include "serve/servers.h"

namespace {

using namespace roomcast::bench;

constexpr int all_arrived = 0;
constexpr int something_missing = 1;
constexpr int bad_options = 2;

Progress progress_on_terminal() {
  return [](std::string_view what, std::uint64_t done, std::uint64_t of) {
    std::fprintf(stderr, "%.*s: %llu of %llu\n", static_cast<int>(what.size()), what.data(),
                 static_cast<unsigned long long>(done), static_cast<unsigned long long>(of));
  };
}

/// So that a run that is broken off has not been for nothing.
std::function<void(const RowResult&)> row_on_terminal() {
  return [](const RowResult& result) { std::fputs(lines_of(result).c_str(), stderr); };
}

struct Scenario {
  std::string_view name;
  std::string_view operation;
  Measurement (*run)(const Target&, const Invocation&);
};

Scenario scenario_of(Command command) {
  using I = Invocation;
  using T = Target;
  switch (command) {
    case Command::fanout:
      return {"fanout", "deliveries", [](const T& t, const I& i) { return run_fanout(t, i.fanout); }};
    case Command::idle:
      return {"idle", "reached at the end", [](const T& t, const I& i) { return run_idle(t, i.idle); }};
    case Command::connect:
      return {"connect", "connections", [](const T& t, const I& i) { return run_connect(t, i.connect); }};
    case Command::echo:
      return {"echo", "round trips", [](const T& t, const I& i) { return run_echo(t, i.echo); }};
    case Command::storm:
      return {"storm", "clients back", [](const T& t, const I& i) { return run_storm(t, i.storm); }};
    case Command::slow:
      return {"slow", "deliveries", [](const T& t, const I& i) { return run_slow(t, i.slow); }};
    case Command::fair:
      return {"fair", "deliveries", [](const T& t, const I& i) { return run_fair(t, i.fair); }};
    default:
      throw std::logic_error("not a scenario");
  }
}

int run_scenario(const Invocation& invocation) {
  const Scenario scenario = scenario_of(invocation.command);
  const Server server = invocation.server.value_or(Server::roomcast);
  const Cpus cpus = invocation.target ? Cpus() : choose_cpus();
  pin_to_cpu(cpus.load);
  std::vector<Measurement> runs;
  bool whole = true;
  for (std::uint64_t round = 0; round < invocation.rounds; ++round) {
    std::unique_ptr<ServerProcess> process;
    if (!invocation.target) {
      process = start_server(server, {invocation.tls, invocation.common.kind.deflate}, cpus.server,
                             invocation.roomcast);
      if (!process)
        throw std::runtime_error(std::string(name_of(server)) + " is not installed, or cannot do this");
    }
    runs.push_back(scenario.run(process ? process->target() : *invocation.target, invocation));
    whole = whole && runs.back().whole();
  }
  const std::string name = invocation.target
                               ? invocation.target->host + ":" + std::to_string(invocation.target->port)
                               : std::string(name_of(server));
  const Shown shown{scenario.name, scenario.operation, name};
  std::fputs((invocation.json ? show_as_json(shown, runs) : show_as_text(shown, runs)).c_str(), stdout);
  return whole ? all_arrived : something_missing;
}

int run_very_many(const Invocation& invocation) {
  const Server server = invocation.server.value_or(Server::roomcast);
  const auto start = [&] {
    auto process = start_server(server, {invocation.tls, false}, -1, invocation.roomcast);
    if (!process)
      throw std::runtime_error(std::string(name_of(server)) + " is not installed, or cannot do this");
    return process;
  };
  const Measurement run = run_million(start, invocation.million);
  const Shown shown{"million", "reached at the end", std::string(name_of(server))};
  std::fputs((invocation.json ? show_as_json(shown, {run}) : show_as_text(shown, {run})).c_str(), stdout);
  if (!invocation.json) {
    std::puts("\nLimits of this machine:");
    for (const KernelLimit& limit : kernel_limits())
      std::printf("  %-32s%s\n", limit.name.c_str(), limit.value.c_str());
  }
  return run.whole() ? all_arrived : something_missing;
}

int run_whole_matrix(const Invocation& invocation) {
  const std::vector<RowResult> results =
      run_matrix({choose_cpus(), invocation.rounds, invocation.only, invocation.roomcast, invocation.before,
                  invocation.common.give_up_seconds, progress_on_terminal(), row_on_terminal()});
  if (results.empty())
    throw std::invalid_argument("--only: no row's name contains \"" + invocation.only + "\"");
  const std::string tables = tables_as_markdown(results, invocation.rounds);
  std::fputs((invocation.json ? tables_as_json(results, invocation.rounds) : tables).c_str(), stdout);
  if (!invocation.write.empty()) put_into_file(invocation.write, tables);
  for (const RowResult& result : results) {
    if (!result.whole) return something_missing;
  }
  return all_arrived;
}

int run_all_attacks(const Invocation& invocation) {
  const AttackGoals goals;
  const auto on_row = [&goals](const AttackResult& result) {
    std::fputs(line_of(result, goals).c_str(), stderr);
  };
  const std::vector<AttackResult> results =
      run_attacks({invocation.roomcast, invocation.only, invocation.attack_milliseconds,
                   invocation.same_address, choose_cpus(), on_row});
  if (results.empty())
    throw std::invalid_argument("--only: no row's name contains \"" + invocation.only + "\"");
  const std::string table = attacks_as_markdown(results, goals);
  std::fputs((invocation.json ? attacks_as_json(results, goals) : table).c_str(), stdout);
  if (!invocation.write.empty()) put_into_file(invocation.write, table, "attack");
  bool all_met = true;
  for (const AttackResult& result : results)
    all_met = all_met && goals.meets(result);
  return all_met || !invocation.check ? all_arrived : something_missing;
}

int run(const std::vector<std::string_view>& arguments) {
  Invocation invocation = parse_command_line(arguments, progress_on_terminal());
  allow_many_descriptors();
  signal(SIGPIPE, SIG_IGN);
  switch (invocation.command) {
    case Command::help:
      std::fputs(help_text().c_str(), stdout);
      return all_arrived;
    case Command::version:
      std::puts("roomcast-bench " ROOMCAST_VERSION);
      return all_arrived;
    case Command::floor:
      run_floor({invocation.join, invocation.tls, invocation.common.kind.deflate});
    case Command::million:
      return run_very_many(invocation);
    case Command::matrix:
      return run_whole_matrix(invocation);
    case Command::attack:
      return run_all_attacks(invocation);
    default:
      return run_scenario(invocation);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(std::vector<std::string_view>(argv + 1, argv + argc));
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "roomcast-bench: %s\n", error.what());
    return bad_options;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "roomcast-bench: %s\n", error.what());
    return something_missing;
  }
}
