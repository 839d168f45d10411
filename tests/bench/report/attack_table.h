#pragma once

#include <string>
#include <vector>

#include "attack/attack_result.h"

namespace roomcast::bench {

/// The line of one attack; figures that miss their goal are bold.
[[nodiscard]] std::string line_of(const AttackResult& result, const AttackGoals& goals);

/// The table in Markdown with the goals below it, and what harm was done.
[[nodiscard]] std::string attacks_as_markdown(const std::vector<AttackResult>& results,
                                              const AttackGoals& goals);
/// The same for machines.
[[nodiscard]] std::string attacks_as_json(const std::vector<AttackResult>& results, const AttackGoals& goals);

}  // namespace roomcast::bench
