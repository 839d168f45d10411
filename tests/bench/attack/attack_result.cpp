#include "attack/attack_result.h"

#include <algorithm>

namespace roomcast::bench {

std::optional<std::uint64_t> AttackResult::long_turns() const {
  if (!before.long_turns || !after.long_turns || *after.long_turns < *before.long_turns) return std::nullopt;
  return *after.long_turns - *before.long_turns;
}

bool AttackGoals::meets_memory(const AttackResult& result) const {
  if (result.bytes_before < 0 || result.bytes_after < 0) return false;
  const std::int64_t kept_on_purpose =
      std::max<std::int64_t>(result.after.kept_bytes - result.before.kept_bytes, 0);
  return static_cast<double>(result.bytes_after - kept_bytes) <=
         memory_share * static_cast<double>(result.bytes_before + kept_on_purpose);
}

bool AttackGoals::meets(const AttackResult& result) const {
  if (result.failed || result.harmed() != 0 || !meets_memory(result)) return false;
  if (!result.measures_latency) return true;
  // A client that was never served has no latency, and was not served well.
  for (const Latency* const latency : {&result.health.latency, &result.delivery.latency}) {
    if (latency->count() == 0 || !meets_p99(*latency) || !meets_worst(*latency)) return false;
  }
  return true;
}

}  // namespace roomcast::bench
