#pragma once

#include <cstdint>
#include <optional>

#include "api/health.h"
#include "api/metrics.h"
#include "api/presence.h"
#include "api/publish.h"
#include "api/publish_batch.h"
#include "api/readiness.h"
#include "api/too_many_connections.h"
#include "auth/gate.h"
#include "auth/hosts.h"
#include "auth/origin.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/scheduler.h"
#include "config/config.h"
#include "dialect/echo.h"
#include "dialect/json.h"
#include "dialect/raw.h"
#include "http/exchange.h"
#include "http/router.h"
#include "http/static_files.h"
#include "service/rooms.h"
#include "session/session_table.h"
#include "transport/http_stream.h"
#include "transport/poll_join.h"
#include "transport/polls.h"
#include "transport/room_entry.h"
#include "transport/stream_join.h"
#include "transport/websocket.h"
#include "transport/websocket_upgrade.h"

namespace roomcast::app {

/// What the routes lead to; outlives the wiring.
struct WiringParts {
  http::Router& router;
  http::Connections& connections;
  base::Scheduler& scheduler;
  service::Rooms& rooms;
  session::SessionTable& sessions;
  transport::WebSocketShared& websockets;
  transport::HttpStreamShared& streams;
  transport::Polls& polls;
  api::MetricsSource& metrics;
  const base::Clock& clock;
  base::Log& log;
};

/// The explicit lists of what there is: dialects, transports, routes. A new one is a member here and a line
/// in wiring.cpp.
class Wiring {
 public:
  Wiring(const WiringParts& parts, const config::Config& config);
  Wiring(const Wiring&) = delete;
  Wiring& operator=(const Wiring&) = delete;

  /// The page: the files below web.root and the client module, or the built-in ones. Read anew at each call.
  [[nodiscard]] std::optional<base::Error> load_page(const config::Config& config, base::Log& log);
  /// What admin listeners serve, and what connections of the reserve do: the operational endpoints only; and
  /// what connections over limits.connections_per_address are answered.
  [[nodiscard]] http::Handler& operations() { return operations_; }
  [[nodiscard]] http::Handler& reserve() { return reserve_; }
  [[nodiscard]] http::Handler& refusals() { return too_many_of_address_; }
  /// /readyz says 503 from now on.
  void end_readiness() { readiness_.end(); }
  /// What stands in front of all handlers.
  [[nodiscard]] const http::Gate& gate() const { return gate_; }
  /// Takes over what a reload may change; it has been checked.
  void apply(const config::Config& config);

 private:
  auth::OriginRules origins_;
  auth::HostRules hosts_;
  auth::Gate gate_;
  dialect::Raw raw_;
  dialect::Json json_;
  dialect::Echo echo_;
  transport::WebSocketUpgrade join_;
  transport::StreamJoin event_stream_;
  transport::StreamJoin ndjson_;
  transport::PollJoin poll_;
  transport::RoomEntry room_entry_;
  transport::WebSocketUpgrade connect_;
  transport::WebSocketUpgrade echo_upgrade_;
  api::BatchLimits batch_limits_;
  api::Publish publish_;
  api::PublishBatch publish_batch_;
  api::Presence presence_;
  api::Health health_;
  api::Readiness readiness_;
  api::Metrics metrics_;
  api::TooManyConnections too_many_connections_{api::TooManyConnections::Cap::connections};
  api::TooManyConnections too_many_of_address_{api::TooManyConnections::Cap::per_address};
  http::Router operations_;
  http::Router reserve_;
  http::StaticFiles page_;
};

}  // namespace roomcast::app
