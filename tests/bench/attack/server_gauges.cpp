#include "attack/server_gauges.h"

#include <cstdlib>
#include <string>

#include "attack/ask.h"
#include "attack/attack_bytes.h"

namespace roomcast::bench {

namespace {

/// The value of the sample that a line begins with; nothing when there is no such line.
std::optional<double> sample(std::string_view exposition, std::string_view name) {
  while (!exposition.empty()) {
    const std::string_view line = exposition.substr(0, exposition.find('\n'));
    if (line.starts_with(name) && line.substr(name.size()).starts_with(' ')) {
      return std::strtod(std::string(line.substr(name.size())).c_str(), nullptr);
    }
    exposition.remove_prefix(std::min(line.size() + 1, exposition.size()));
  }
  return std::nullopt;
}

}  // namespace

ServerGauges read_gauges(std::string_view exposition) {
  ServerGauges gauges;
  if (const auto bytes = sample(exposition, "roomcast_memory_bytes")) {
    gauges.memory_bytes = static_cast<std::int64_t>(*bytes);
  }
  for (const char* name : {"roomcast_history_bytes", "roomcast_idempotency_bytes"})
    gauges.kept_bytes += static_cast<std::int64_t>(sample(exposition, name).value_or(0));
  const auto all = sample(exposition, "roomcast_turn_duration_seconds_count");
  const auto short_ones = sample(exposition, R"(roomcast_turn_duration_seconds_bucket{le="0.025"})");
  if (all && short_ones) gauges.long_turns = static_cast<std::uint64_t>(*all - *short_ones);
  return gauges;
}

ServerGauges gauges_of(const Target& target, int patience_ms) {
  return read_gauges(ask(target, bare_request("GET", "/metrics"), patience_ms).body);
}

}  // namespace roomcast::bench
