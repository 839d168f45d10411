#include "app/core_parts.h"

#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/control.h"
#include "app/connection_limits.h"
#include "base/close_reason.h"
#include "metrics/exposition.h"
#include "part/access_settings.h"
#include "part/settings.h"
#include "part/transport_metrics.h"

namespace roomcast::app {

namespace {

using metrics::Exposition;

class CorePart : public part::Part {
 public:
  explicit CorePart(const Core& core) : core_(core) {}

 protected:
  const Core core_;
};

void collect_refusals(Exposition& out, const base::RefusalTally& refused) {
  out.counter("roomcast_refusals_total", "Refusals that clients were given, by code.");
  for (std::size_t i = 0; i < static_cast<std::size_t>(base::Refusal::Code::count_); ++i) {
    const auto code = static_cast<base::Refusal::Code>(i);
    // Some codes have two statuses.
    out.add({{"code", base::describe(code).name}}, static_cast<std::int64_t>(refused.count(code)));
  }
}
/// Who may do what. The first part: what others apply may depend on it.
class Access final : public CorePart {
 public:
  using CorePart::CorePart;

  [[nodiscard]] std::optional<base::Error> load(const config::Config& config) override {
    auto policy = part::access_policy(config);
    if (!policy) return std::move(policy.error());
    return std::nullopt;
  }

  void apply(const config::Config& config) override {
    auto policy = part::access_policy(config);
    if (policy) core_.access.policy = std::move(*policy);  // always: `load` has seen it
  }
};

/// Accepting connections, and the rules about their clients.
class Connections final : public CorePart {
 public:
  using CorePart::CorePart;

  void apply(const config::Config& config) override {
    core_.trusted_proxies = {};
    for (const std::string& network : config.trusted_proxies)
      (void)core_.trusted_proxies.add(network);  // checked
    core_.preambles.set_timeout(config.http.head_timeout_ms);
    net::AdmissionControl::Limits limits = connection_limits(config, core_.descriptors).admission;
    limits.bytes_per_address =
        static_cast<std::size_t>(plan_memory(config, core_.memory_ceiling).address_memory_bytes);
    core_.admissions.set_limits(limits);
    core_.entrance.apply(config);
  }

  void collect(Exposition& out) const override {
    part::TransportMetrics(out).connections("http", static_cast<std::int64_t>(core_.http.connections()));
    out.single_gauge("roomcast_connections_admitted", "Connections that count against limits.connections.",
                     core_.admissions.connections());
    out.single_counter("roomcast_connections_accepted_total", "Connections accepted.",
                       core_.listeners.accepted);
    out.counter(
        "roomcast_connections_refused_total",
        "Connections turned away with or without an answer, left waiting or taken in reserve, by reason.");
    out.sample({{"reason", "per_address"}}, core_.listeners.refused_per_address);
    out.sample({{"reason", "connect_rate"}}, core_.listeners.refused_by_rate);
    out.sample({{"reason", "full"}}, core_.listeners.paused_full);
    out.sample({{"reason", "reserve"}}, core_.listeners.taken_in_reserve);
    out.sample({{"reason", "out_of_descriptors"}}, core_.listeners.out_of_descriptors);
    out.sample({{"reason", "failed"}}, core_.listeners.failed);
    out.single_counter("roomcast_connections_evicted_total",
                       "Connections that asked for nothing and made room for others.",
                       core_.admissions.evicted());
    collect_refusals(out, core_.access.refused);
    out.single_gauge("roomcast_rates_bytes", "Bytes that what is spent of rates takes (rates.table_bytes).",
                     core_.access.rates.bytes());
    out.single_counter(
        "roomcast_rates_forgotten_total",
        "Clients forgotten, for want of space, before what they had spent of rates came in again.",
        core_.access.rates.forgotten());
  }
};

class Sessions final : public CorePart {
 public:
  using CorePart::CorePart;

  void apply(const config::Config& config) override {
    core_.sessions.set_settings(part::session_settings(config));
    const config::Config::Auth& auth = config.auth;
    const bool takes_tokens = !auth.tokens.empty() || !auth.keys.empty() || !auth.users_file.empty();
    core_.sessions.set_authenticator(takes_tokens ? &core_.authenticator : nullptr);
    core_.dialects.apply(config);
  }

  void collect(Exposition& out) const override {
    const session::SessionStats& stats = core_.sessions.stats();
    out.single_counter("roomcast_sessions_opened_total", "Clients that were let in.", stats.opened);
    out.counter("roomcast_sessions_closed_total", "Clients that have ended, by reason.");
    for (std::size_t i = 0; i < stats.closed.size(); ++i) {
      out.sample({{"reason", base::describe(static_cast<base::CloseReason>(i)).name}}, stats.closed[i]);
    }
    part::TransportMetrics(out).queued(0);
  }

  [[nodiscard]] std::size_t clients() const override { return core_.sessions.size(); }
  std::size_t close_some(std::size_t count) override {
    return core_.sessions.close_some(count, base::CloseReason::server_shutdown);
  }
  [[nodiscard]] std::size_t connections() const override { return core_.sessions.size(); }
  void abort_all() override { core_.sessions.abort_all(); }
};

/// The hub: what rooms retain.
class Rooms final : public CorePart {
 public:
  using CorePart::CorePart;

  void apply(const config::Config& config) override {
    core_.publisher.set_limit(static_cast<std::size_t>(config.limits.idempotency_bytes));
    hub::HubLimits limits = part::hub_limits(config);
    limits.history_bytes = static_cast<std::size_t>(plan_memory(config, core_.memory_ceiling).history_bytes);
    core_.hub.set_limits(limits);
    core_.hub.set_rules(part::memory_rules(config));
    core_.rooms.set_limits(part::service_limits(config));
    core_.rooms.set_rules(part::service_rules(config), config.rates.burst_ms);
    core_.access.rates.set_limits(part::rate_limits(config));
  }

  void collect(Exposition& out) const override {
    out.single_gauge("roomcast_rooms", "Rooms with at least one member.", core_.hub.occupied_rooms());
    out.single_gauge("roomcast_rooms_remembered", "Rooms that are remembered, with or without members.",
                     core_.hub.rooms());
    out.single_gauge("roomcast_history_bytes",
                     "Bytes that rooms and their histories take (history.total_bytes).",
                     core_.hub.history_bytes());
    out.single_gauge("roomcast_idempotency_bytes",
                     "Bytes that idempotency keys take (limits.idempotency_bytes).", core_.publisher.bytes());
  }

  part::ShedMemory shed_memory() override {
    return {core_.hub.shed_history(), "memory is short: rooms forget half of their history"};
  }
};

/// The hub: what passes through it.
class Messages final : public CorePart {
 public:
  using CorePart::CorePart;

  void collect(Exposition& out) const override {
    const hub::HubStats& stats = core_.hub.stats();
    out.single_counter("roomcast_messages_published_total", "Messages that were given a place in a room.",
                       stats.published);
    out.single_counter("roomcast_deliveries_total", "Messages handed to members, each member counted.",
                       stats.deliveries);
    out.single_counter("roomcast_messages_replayed_total",
                       "Messages handed to members from history, each member counted.", stats.replayed);
    out.single_counter("roomcast_gaps_total", "Members told that messages may be missing.", stats.gaps);
    out.single_counter("roomcast_publishes_refused_total",
                       "Publishes refused because the server was overloaded.", stats.refused);
    out.single_gauge("roomcast_backlog_bytes",
                     "Messages accepted and not yet handed to every member: payload bytes and 1024 for each.",
                     core_.hub.backlog_bytes());
    out.single_gauge("roomcast_publishes_waiting", "Publishes that wait until the backlog is smaller.",
                     core_.hub.delayed());
  }
};

/// Connections that are only waited for until their peer has read the last bytes.
class Closing final : public CorePart {
 public:
  using CorePart::CorePart;

  void collect(Exposition& out) const override {
    part::TransportMetrics(out).connections("closing", static_cast<std::int64_t>(core_.linger.size()));
  }

  [[nodiscard]] std::size_t connections() const override { return core_.linger.size(); }
};

class Http final : public CorePart {
 public:
  using CorePart::CorePart;

  void apply(const config::Config& config) override {
    core_.http.set_limits(part::parser_limits(config));
    core_.http.set_settings(part::connection_settings(config));
  }

  void collect(Exposition& out) const override {
    const http::HttpStats& stats = core_.http.stats();
    out.counter("roomcast_http_responses_total", "HTTP responses, by class of status.");
    constexpr std::array<std::string_view, 6> classes{"", "1xx", "2xx", "3xx", "4xx", "5xx"};
    for (std::size_t i = 1; i < classes.size(); ++i)
      out.sample({{"status", classes.at(i)}}, stats.answers.at(i));
    out.single_counter("roomcast_http_bad_requests_total", "Requests refused as malformed or past a limit.",
                       stats.bad_requests);
    out.single_counter("roomcast_http_timeouts_total", "HTTP deadlines that passed.", stats.timeouts);
  }

  void begin_drain() override { core_.http.drain(); }
  [[nodiscard]] std::size_t connections() const override { return core_.http.connections(); }
};

class Tls final : public CorePart {
 public:
  using CorePart::CorePart;

  void apply(const config::Config& config) override {
    core_.tls.set_handshake_timeout(config.http.head_timeout_ms);
  }

  void collect(Exposition& out) const override {
    const net::TlsStats& stats = core_.tls.stats();
    out.counter("roomcast_tls_handshakes_total", "TLS handshakes, by outcome.");
    out.sample({{"outcome", "ok"}}, stats.handshakes_ok);
    out.sample({{"outcome", "failed"}}, stats.handshakes_failed);
    out.single_counter("roomcast_tls_resumptions_total", "TLS handshakes that resumed a session.",
                       stats.handshakes_resumed);
    out.gauge("roomcast_certificate_expiry_seconds",
              "Seconds until a certificate, or one of its chain, expires; negative behind that.");
    std::set<std::string_view> named;
    for (const auto& expiry : core_.certificates.expiries()) {
      if (!named.insert(expiry.certificate).second) continue;
      out.sample({{"certificate", expiry.certificate}}, core_.certificates.seconds_left(expiry));
    }
  }
};

/// The event loop, memory, the log and reloads.
class Process final : public CorePart {
 public:
  using CorePart::CorePart;

  void apply(const config::Config& config) override {
    core_.log.set_level(config.log.level);
    core_.log.set_format(config.log.format);
    core_.log.set_lines_per_second(config.log.lines_per_second);
    const MemoryPlan memory = plan_memory(config, core_.memory_ceiling);
    core_.memory_guard.set_limits({static_cast<std::size_t>(memory.memory_bytes)});
  }

  void collect(Exposition& out) const override {
    const loop::TurnStats& turns = core_.turn.stats();
    std::vector<double> bounds;
    bounds.reserve(loop::TurnStats::bounds_us.size());
    for (const std::int64_t bound : loop::TurnStats::bounds_us) {
      bounds.push_back(static_cast<double>(bound) / 1e6);
    }
    out.histogram("roomcast_turn_duration_seconds",
                  "How long turns of the event loop worked, sleep not counted.");
    out.sample({}, {bounds, turns.buckets, static_cast<double>(turns.sum_us) / 1e6});
    out.single_gauge("roomcast_memory_bytes", "Bytes that the allocator has given out.",
                     core_.memory_guard.used_bytes());
    out.single_counter("roomcast_log_lines_dropped_total",
                       "Log lines lost because standard error took no more.", core_.log.dropped());
    out.single_gauge("roomcast_held_bytes", "Bytes that connections hold beyond what an idle one takes.",
                     core_.admissions.held_bytes());
    out.single_counter("roomcast_holders_shed_total", "Clients disconnected for the memory that they held.",
                       core_.memory_guard.shed_holders());
    out.counter("roomcast_reloads_total", "Reloads (SIGHUP), by outcome.");
    out.sample({{"outcome", "ok"}}, core_.reloads.succeeded);
    out.sample({{"outcome", "refused"}}, core_.reloads.refused);
    out.single_gauge(
        "roomcast_last_reload_successful",
        "1 if the last reload took the configuration over, or there was none; 0 if it was refused.",
        core_.reloads.last_succeeded ? 1U : 0U);
  }
};

}  // namespace

std::unique_ptr<part::Part> make_access(const Core& core) { return std::make_unique<Access>(core); }
std::unique_ptr<part::Part> make_connections(const Core& core) { return std::make_unique<Connections>(core); }
std::unique_ptr<part::Part> make_sessions(const Core& core) { return std::make_unique<Sessions>(core); }
std::unique_ptr<part::Part> make_rooms(const Core& core) { return std::make_unique<Rooms>(core); }
std::unique_ptr<part::Part> make_closing(const Core& core) { return std::make_unique<Closing>(core); }
std::unique_ptr<part::Part> make_messages(const Core& core) { return std::make_unique<Messages>(core); }
std::unique_ptr<part::Part> make_http(const Core& core) { return std::make_unique<Http>(core); }
std::unique_ptr<part::Part> make_tls(const Core& core) { return std::make_unique<Tls>(core); }
std::unique_ptr<part::Part> make_process(const Core& core) { return std::make_unique<Process>(core); }

}  // namespace roomcast::app
