#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/target.h"
#include "scenario/million.h"
#include "scenario/scenarios.h"
#include "serve/servers.h"

namespace roomcast::bench {

enum class Command {
  help,
  version,
  fanout,
  idle,
  connect,
  echo,
  storm,
  slow,
  fair,
  million,
  matrix,
  attack,
  floor
};

/// What the command line asks for. Each scenario has its settings, with the defaults of
/// `scenario/scenarios.h`.
struct Invocation {
  Command command = Command::help;
  std::optional<Server> server;  ///< to be started by the tool
  std::optional<Target> target;  ///< or one that runs already
  std::string roomcast;          ///< path of the daemon to start; empty: beside the tool, then in PATH
  Common common;
  FanoutSettings fanout;
  IdleSettings idle;
  ConnectSettings connect;
  EchoSettings echo;
  StormSettings storm;
  SlowSettings slow;
  FairSettings fair;
  MillionSettings million;
  std::int64_t attack_milliseconds = 10'000;  ///< that each attack lasts
  bool same_address = false;                  ///< attack: innocents come from the attacker's address
  bool check = false;                         ///< attack: a goal that is missed is a failure
  bool tls = false;                           ///< of servers that the tool starts
  bool join = false;                          ///< of the floor
  std::uint64_t rounds = 1;                   ///< runs of each; the medians are shown
  bool json = false;                          ///< on standard output, instead of the table
  std::string only;                           ///< matrix, attack: rows whose name contains this
  std::string before;  ///< matrix: another daemon to hold this one against, instead of the floor
  std::string write;   ///< matrix, attack: the Markdown file between whose marks the tables go
};

/// Reads the arguments behind the program's name. Throws std::invalid_argument with a sentence that names the
/// option and what it takes: unknown ones, those the scenario does not know, values out of range, hosts that
/// are not loopback without --allow-remote. Long runs call `progress` with how far they are.
[[nodiscard]] Invocation parse_command_line(const std::vector<std::string_view>& arguments,
                                            const Progress& progress = {});

/// What --help prints: every scenario and every option, made from the table that is parsed by.
[[nodiscard]] std::string help_text();

}  // namespace roomcast::bench
