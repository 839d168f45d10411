#include "app/parts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/exposition.h"
#include "transport/http_stream_part.h"
#include "transport/websocket_part.h"
#include "unit/app/server_parts.h"

namespace parts_test {

using namespace roomcast;

namespace {

const std::map<std::string, std::string> families{
    {"roomcast_backlog_bytes", "gauge"},
    {"roomcast_certificate_expiry_seconds", "gauge"},
    {"roomcast_connections", "gauge"},
    {"roomcast_connections_accepted_total", "counter"},
    {"roomcast_connections_admitted", "gauge"},
    {"roomcast_connections_evicted_total", "counter"},
    {"roomcast_connections_refused_total", "counter"},
    {"roomcast_deliveries_total", "counter"},
    {"roomcast_fetches_total", "counter"},
    {"roomcast_gaps_total", "counter"},
    {"roomcast_held_bytes", "gauge"},
    {"roomcast_history_bytes", "gauge"},
    {"roomcast_holders_shed_total", "counter"},
    {"roomcast_http_bad_requests_total", "counter"},
    {"roomcast_http_responses_total", "counter"},
    {"roomcast_http_timeouts_total", "counter"},
    {"roomcast_idempotency_bytes", "gauge"},
    {"roomcast_identifications_total", "counter"},
    {"roomcast_identifications_waiting", "gauge"},
    {"roomcast_last_reload_successful", "gauge"},
    {"roomcast_log_lines_dropped_total", "counter"},
    {"roomcast_logins_total", "counter"},
    {"roomcast_memory_bytes", "gauge"},
    {"roomcast_messages_published_total", "counter"},
    {"roomcast_messages_received_total", "counter"},
    {"roomcast_messages_replayed_total", "counter"},
    {"roomcast_password_hashes_total", "counter"},
    {"roomcast_publishes_refused_total", "counter"},
    {"roomcast_publishes_waiting", "gauge"},
    {"roomcast_queued_bytes", "gauge"},
    {"roomcast_rates_bytes", "gauge"},
    {"roomcast_rates_forgotten_total", "counter"},
    {"roomcast_received_payload_bytes_total", "counter"},
    {"roomcast_refusals_total", "counter"},
    {"roomcast_reloads_total", "counter"},
    {"roomcast_rooms", "gauge"},
    {"roomcast_rooms_remembered", "gauge"},
    {"roomcast_sent_bytes_total", "counter"},
    {"roomcast_sanctions", "gauge"},
    {"roomcast_sanctions_bytes", "gauge"},
    {"roomcast_sessions_closed_total", "counter"},
    {"roomcast_sessions_opened_total", "counter"},
    {"roomcast_tls_handshakes_total", "counter"},
    {"roomcast_tls_resumptions_total", "counter"},
    {"roomcast_turn_duration_seconds", "histogram"},
};

/// `name` or `name{label="value",…}`; no value needs escaping here.
bool is_series(std::string_view text) {
  const auto is_word = [](std::string_view word) {
    return !word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos;
  };
  const auto brace = text.find('{');
  if (!is_word(text.substr(0, brace))) return false;
  if (brace == std::string_view::npos) return true;
  if (!text.ends_with('}')) return false;
  std::string_view labels = text.substr(brace + 1, text.size() - brace - 2);
  for (;;) {
    const auto begin = labels.find("=\"");
    if (begin == std::string_view::npos || !is_word(labels.substr(0, begin))) return false;
    const auto end = labels.find('"', begin + 2);
    if (end == std::string_view::npos) return false;
    labels.remove_prefix(end + 1);
    if (labels.empty()) return true;
    if (labels.front() != ',') return false;
    labels.remove_prefix(1);
  }
}

/// The Prometheus text format, read as strictly as it is written.
struct Parsed {
  std::map<std::string, std::string> types;
  std::map<std::string, double> samples;  ///< by name and labels as they stand
  std::vector<std::string> problems;
};

Parsed parse(const std::string& text) {
  Parsed parsed;
  std::string family;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash;
    std::string keyword;
    std::string name;
    std::string type;
    if (line.rfind("# HELP ", 0) == 0) {
      words >> hash >> keyword >> family;
      continue;
    }
    if (line.rfind("# TYPE ", 0) == 0) {
      words >> hash >> keyword >> name >> type;
      if (name != family || !parsed.types.emplace(name, type).second) parsed.problems.push_back(line);
      continue;
    }
    const std::string series = line.substr(0, line.rfind(' '));
    char* end = nullptr;
    const double value = std::strtod(line.c_str() + std::min(series.size() + 1, line.size()), &end);
    const bool is_sound = is_series(series) && series.rfind(family, 0) == 0 && *end == '\0';
    if (!is_sound || !parsed.samples.emplace(series, value).second) parsed.problems.push_back(line);
  }
  return parsed;
}

struct Fixture : test::ServerParts {
  [[nodiscard]] std::string text() const {
    metrics::Exposition exposition;
    for (const auto& part : parts)
      part->collect(exposition);
    return exposition.text();
  }
  [[nodiscard]] std::map<std::string, double> samples() const { return parse(text()).samples; }

  transport::WebSocketShared& websockets = parts_of_class<transport::WebSocketPart>().at(0)->shared();
  transport::HttpStreamShared& sse = parts_of_class<transport::HttpStreamPart>().at(0)->shared();
  transport::HttpStreamShared& ndjson = parts_of_class<transport::HttpStreamPart>().at(1)->shared();
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "metrics: every family is there once, of its type, in sound text") {
  const Parsed parsed = parse(text());
  CHECK(parsed.problems.empty());
  CHECK(parsed.types == families);
  for (const auto& [name, type] : parsed.types)
    CHECK(name.ends_with("_total") == (type == "counter"));
  CHECK(parsed.samples.count("roomcast_turn_duration_seconds_bucket{le=\"+Inf\"}") == 1);
  CHECK(parsed.samples.count("roomcast_turn_duration_seconds_count") == 1);
  for (std::size_t i = 0; i < static_cast<std::size_t>(base::CloseReason::count_); ++i) {
    const std::string reason(base::describe(static_cast<base::CloseReason>(i)).name);
    CHECK(parsed.samples.count("roomcast_sessions_closed_total{reason=\"" + reason + "\"}") == 1);
  }
}

TEST_CASE_FIXTURE(Fixture, "metrics: collecting changes nothing") { CHECK(text() == text()); }

TEST_CASE_FIXTURE(Fixture, "metrics: clients, rooms and messages are counted where they belong") {
  auto& ada = join("lobby");
  join("lobby");
  join("attic");
  websockets.stats.queued_bytes = 7;
  sse.stats.queued_bytes = 3;
  ndjson.stats.queued_bytes = 2;
  hub.publish("lobby", {hub::Kind::text, base::Bytes::copy_of("hello"), {}, 0});
  auto now = samples();
  CHECK(now["roomcast_sessions_opened_total"] == 3);
  CHECK(now["roomcast_rooms"] == 2);
  CHECK(now["roomcast_queued_bytes"] == 12);
  CHECK(now["roomcast_messages_published_total"] == 1);
  CHECK(now["roomcast_deliveries_total"] == 0);
  CHECK(now["roomcast_backlog_bytes"] == 2'048 + 1'024 + 5);
  CHECK(now["roomcast_publishes_waiting"] == 0);

  loop.run_turn_without_waiting();
  ada.events->on_closed(base::CloseReason::client_closed);
  hub.set_overloaded(true);
  hub.publish("lobby", {hub::Kind::text, base::Bytes::copy_of("x"), {}, 0});
  now = samples();
  CHECK(now["roomcast_deliveries_total"] == 2);
  CHECK(now["roomcast_backlog_bytes"] == 0);
  CHECK(now["roomcast_sessions_closed_total{reason=\"client_closed\"}"] == 1);
  CHECK(now["roomcast_publishes_refused_total"] == 1);
}

TEST_CASE_FIXTURE(
    Fixture, "metrics: rooms are counted with members and as remembered, their past with what was replayed") {
  auto& ada = join("lobby");
  hub.publish("attic", {hub::Kind::text, base::Bytes::copy_of("a"), {}, 0});
  loop.run_turn_without_waiting();
  ada.events->on_closed(base::CloseReason::client_closed);
  auto now = samples();
  CHECK(now["roomcast_rooms"] == 0);
  CHECK(now["roomcast_rooms_remembered"] == 2);
  CHECK(now["roomcast_history_bytes"] == static_cast<double>(hub.history_bytes()));
  CHECK(now["roomcast_messages_replayed_total"] == 0);

  // A cursor of another epoch.
  sessions.open(std::make_unique<test::FakeTransport>(wires.emplace_back(), framing), dialect,
                {"attic", "", true, {hub::Position{1, 1}, std::nullopt}});
  framing.named_events = true;
  loop.run_turn_without_waiting();
  now = samples();
  CHECK(now["roomcast_rooms"] == 1);
  CHECK(now["roomcast_messages_replayed_total"] == 1);
  CHECK(now["roomcast_gaps_total"] == 1);
}

TEST_CASE_FIXTURE(Fixture, "metrics: the counters of the parts stand under their own names") {
  listeners = {1, 2, 17, 3, 4, 5, 18};
  websockets.stats = {{11, 0}, 9, 10, 12};
  sse.stats = {{13, 0}, 14};
  ndjson.stats = {{15, 0}, 16};
  net::Admission admission;
  CHECK(admissions.admit("192.0.2.1", false, admission) == net::ExceededLimit::none);
  auto now = samples();
  CHECK(now["roomcast_connections_accepted_total"] == 1);
  CHECK(now["roomcast_connections_refused_total{reason=\"per_address\"}"] == 2);
  CHECK(now["roomcast_connections_refused_total{reason=\"connect_rate\"}"] == 18);
  CHECK(now["roomcast_connections_refused_total{reason=\"full\"}"] == 3);
  CHECK(now["roomcast_connections_refused_total{reason=\"reserve\"}"] == 17);
  CHECK(now["roomcast_connections_refused_total{reason=\"out_of_descriptors\"}"] == 4);
  CHECK(now["roomcast_connections_refused_total{reason=\"failed\"}"] == 5);
  CHECK(now["roomcast_messages_received_total"] == 9);
  CHECK(now["roomcast_received_payload_bytes_total"] == 10);
  CHECK(now["roomcast_sent_bytes_total{transport=\"websocket\"}"] == 11);
  CHECK(now["roomcast_connections{transport=\"websocket\"}"] == 12);
  CHECK(now["roomcast_sent_bytes_total{transport=\"sse\"}"] == 13);
  CHECK(now["roomcast_connections{transport=\"sse\"}"] == 14);
  CHECK(now["roomcast_sent_bytes_total{transport=\"stream\"}"] == 15);
  CHECK(now["roomcast_connections{transport=\"stream\"}"] == 16);
  CHECK(now["roomcast_connections_admitted"] == 1);
}

TEST_CASE_FIXTURE(Fixture, "metrics: how the last reload went") {
  CHECK(samples()["roomcast_last_reload_successful"] == 1);
  reloads.refused = 2;
  reloads.last_succeeded = false;
  CHECK(samples()["roomcast_last_reload_successful"] == 0);
  CHECK(samples()["roomcast_reloads_total{outcome=\"refused\"}"] == 2);
}

TEST_CASE_FIXTURE(Fixture, "metrics: what each certificate has left, one that is configured twice once") {
  const std::int64_t day = app::CertificateWatch::day_ms;
  certificates.watch({{"a", 0, loop.wall_ms() + 30 * day}, {"b", 0, loop.wall_ms() + 90 * day}, {"a", 0, 0}});
  const std::string text = this->text();
  CHECK(text.find("roomcast_certificate_expiry_seconds{certificate=\"a\"} 2592000\n") != std::string::npos);
  CHECK(text.find("roomcast_certificate_expiry_seconds{certificate=\"b\"} 7776000\n") != std::string::npos);
  CHECK(text.find("{certificate=\"a\"}") == text.rfind("{certificate=\"a\"}"));
}

}  // namespace parts_test
