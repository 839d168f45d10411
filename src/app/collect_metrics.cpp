#include "app/collect_metrics.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "base/close_reason.h"
#include "metrics/exposition.h"

namespace roomcast::app {

namespace {

using metrics::Exposition;
using transport::StreamKind;

constexpr double microseconds_per_second = 1e6;

const transport::HttpStreamStats& streams(const MetricsParts& parts, StreamKind kind) {
  return parts.streams.stats.at(static_cast<std::size_t>(kind));
}

void connections(Exposition& out, const MetricsParts& parts) {
  out.gauge("roomcast_connections", "Connections that are open, by how they are used.");
  out.sample({{"transport", "http"}}, parts.http.connections() - parts.polls.size());
  out.sample({{"transport", "poll"}}, parts.polls.size());
  out.sample({{"transport", "websocket"}}, parts.websockets.stats.open);
  out.sample({{"transport", "sse"}}, streams(parts, StreamKind::event_stream).open);
  out.sample({{"transport", "stream"}}, streams(parts, StreamKind::ndjson).open);
  out.sample({{"transport", "closing"}}, parts.linger.size());
  out.single_gauge("roomcast_connections_admitted", "Connections that count against limits.connections.",
                   parts.admissions.connections());
  out.single_counter("roomcast_connections_accepted_total", "Connections accepted.",
                     parts.listeners.accepted);
  out.counter(
      "roomcast_connections_refused_total",
      "Connections turned away with or without an answer, left waiting or taken in reserve, by reason.");
  out.sample({{"reason", "per_address"}}, parts.listeners.refused_per_address);
  out.sample({{"reason", "full"}}, parts.listeners.paused_full);
  out.sample({{"reason", "reserve"}}, parts.listeners.taken_in_reserve);
  out.sample({{"reason", "out_of_descriptors"}}, parts.listeners.out_of_descriptors);
  out.sample({{"reason", "failed"}}, parts.listeners.failed);
  out.single_counter("roomcast_connections_evicted_total",
                     "Connections that asked for nothing and made room for others.",
                     parts.admissions.evicted());
}

void sessions(Exposition& out, const MetricsParts& parts) {
  const session::SessionStats& stats = parts.sessions.stats();
  out.single_counter("roomcast_sessions_opened_total", "Clients that were let in.", stats.opened);
  out.counter("roomcast_sessions_closed_total", "Clients that have ended, by reason.");
  for (std::size_t i = 0; i < stats.closed.size(); ++i) {
    out.sample({{"reason", base::describe(static_cast<base::CloseReason>(i)).name}}, stats.closed[i]);
  }
  out.single_gauge("roomcast_queued_bytes", "Bytes waiting for clients to take them.",
                   parts.websockets.stats.queued_bytes +
                       streams(parts, StreamKind::event_stream).queued_bytes +
                       streams(parts, StreamKind::ndjson).queued_bytes);
}

void messages(Exposition& out, const MetricsParts& parts) {
  out.single_gauge("roomcast_rooms", "Rooms with at least one member.", parts.hub.occupied_rooms());
  out.single_gauge("roomcast_rooms_remembered", "Rooms that are remembered, with or without members.",
                   parts.hub.rooms());
  out.single_gauge("roomcast_history_bytes",
                   "Bytes that rooms and their histories take (history.total_bytes).",
                   parts.hub.history_bytes());
  out.single_gauge("roomcast_idempotency_bytes",
                   "Bytes that idempotency keys take (limits.idempotency_bytes).", parts.publisher.bytes());
  out.single_counter("roomcast_messages_received_total", "Messages received over WebSocket.",
                     parts.websockets.stats.messages_in);
  out.single_counter("roomcast_received_payload_bytes_total", "Payload bytes received over WebSocket.",
                     parts.websockets.stats.payload_bytes_in);
  out.counter("roomcast_sent_bytes_total", "Bytes sent to clients, framing included, by transport.");
  out.sample({{"transport", "websocket"}}, parts.websockets.stats.wire_bytes_out);
  out.sample({{"transport", "sse"}}, streams(parts, StreamKind::event_stream).wire_bytes_out);
  out.sample({{"transport", "stream"}}, streams(parts, StreamKind::ndjson).wire_bytes_out);
  out.single_counter("roomcast_messages_published_total", "Messages that were given a place in a room.",
                     parts.hub.stats().published);
  out.single_counter("roomcast_deliveries_total", "Messages handed to members, each member counted.",
                     parts.hub.stats().deliveries);
  out.single_counter("roomcast_messages_replayed_total",
                     "Messages handed to members from history, each member counted.",
                     parts.hub.stats().replayed);
  out.single_counter("roomcast_gaps_total", "Members told that messages may be missing.",
                     parts.hub.stats().gaps);
  out.single_counter("roomcast_publishes_refused_total",
                     "Publishes refused because the server was overloaded.", parts.hub.stats().refused);
  out.single_gauge("roomcast_backlog_bytes",
                   "Messages accepted and not yet handed to every member: payload bytes and 1024 for each.",
                   parts.hub.backlog_bytes());
  out.single_gauge("roomcast_publishes_waiting", "Publishes that wait until the backlog is smaller.",
                   parts.hub.delayed());
}

void http_and_tls(Exposition& out, const MetricsParts& parts) {
  const http::HttpStats& stats = parts.http.stats();
  out.counter("roomcast_http_responses_total", "HTTP responses, by class of status.");
  constexpr std::array<std::string_view, 6> classes{"", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (std::size_t i = 1; i < classes.size(); ++i)
    out.sample({{"status", classes.at(i)}}, stats.answers.at(i));
  out.single_counter("roomcast_http_bad_requests_total", "Requests refused as malformed or past a limit.",
                     stats.bad_requests);
  out.single_counter("roomcast_http_timeouts_total", "HTTP deadlines that passed.", stats.timeouts);
  out.counter("roomcast_tls_handshakes_total", "TLS handshakes, by outcome.");
  out.sample({{"outcome", "ok"}}, parts.tls.handshakes_ok);
  out.sample({{"outcome", "failed"}}, parts.tls.handshakes_failed);
  out.single_counter("roomcast_tls_resumptions_total", "TLS handshakes that resumed a session.",
                     parts.tls.handshakes_resumed);
  out.gauge("roomcast_certificate_expiry_seconds",
            "Seconds until a certificate, or one of its chain, expires; negative behind that.");
  std::set<std::string_view> named;
  for (const auto& expiry : parts.certificates.expiries()) {
    if (!named.insert(expiry.certificate).second) continue;
    out.sample({{"certificate", expiry.certificate}}, parts.certificates.seconds_left(expiry));
  }
}

void process(Exposition& out, const MetricsParts& parts) {
  const loop::TurnStats& turns = parts.turn.stats();
  std::vector<double> bounds;
  bounds.reserve(loop::TurnStats::bounds_us.size());
  for (const std::int64_t bound : loop::TurnStats::bounds_us) {
    bounds.push_back(static_cast<double>(bound) / microseconds_per_second);
  }
  out.histogram("roomcast_turn_duration_seconds",
                "How long turns of the event loop worked, sleep not counted.");
  out.sample({}, {bounds, turns.buckets, static_cast<double>(turns.sum_us) / microseconds_per_second});
  out.single_gauge("roomcast_memory_bytes", "Bytes that the allocator has given out.",
                   parts.memory.used_bytes());
  out.single_counter("roomcast_log_lines_dropped_total",
                     "Log lines lost because standard error took no more.", parts.log.dropped());
  out.single_gauge("roomcast_held_bytes", "Bytes that connections hold beyond what an idle one takes.",
                   parts.admissions.held_bytes());
  out.single_counter("roomcast_holders_shed_total", "Clients disconnected for the memory that they held.",
                     parts.memory.shed_holders());
}

void reloads(Exposition& out, const MetricsParts& parts) {
  out.counter("roomcast_reloads_total", "Reloads (SIGHUP), by outcome.");
  out.sample({{"outcome", "ok"}}, parts.reloads.succeeded);
  out.sample({{"outcome", "refused"}}, parts.reloads.refused);
  out.single_gauge(
      "roomcast_last_reload_successful",
      "1 if the last reload took the configuration over, or there was none; 0 if it was refused.",
      parts.reloads.last_succeeded ? 1U : 0U);
}

}  // namespace

void CollectMetrics::collect(std::string& out) {
  Exposition exposition;
  connections(exposition, parts_);
  sessions(exposition, parts_);
  messages(exposition, parts_);
  http_and_tls(exposition, parts_);
  process(exposition, parts_);
  reloads(exposition, parts_);
  out += exposition.text();
}

}  // namespace roomcast::app
