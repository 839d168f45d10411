#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "attack/attack.h"
#include "attack/attack_result.h"
#include "report/pinning.h"

namespace roomcast::bench {

struct AttackSettings {
  std::string binary;                  ///< the daemon; empty: beside the tool, then in PATH
  std::string only;                    ///< part of the names of the rows that are wanted
  std::int64_t milliseconds = 10'000;  ///< that each attack lasts
  bool same_address = false;           ///< innocents come from the attacker's address
  Cpus cpus;
  std::function<void(const AttackResult&)> on_row;  ///< called for each row when it is done; may be empty
};

/// Carries out the attacks one after the other, each against a server of its own. Innocents and attacker
/// share a CPU, on which the former go first. Throws std::runtime_error when there is no daemon; what goes
/// wrong in a row is part of its result.
[[nodiscard]] std::vector<AttackResult> run_attacks(const AttackSettings& settings);

}  // namespace roomcast::bench
